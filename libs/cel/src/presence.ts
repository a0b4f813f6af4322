/** Whether something is there: what the package answers differently from cel-go, in the form of its macros. */
import type { ASTNode } from '@marcbachmann/cel-js';

/** What the package gives to macros, as far as these need it. */
interface Checker {
  check(node: ASTNode, context: unknown): unknown;
  getType(name: string): unknown;
  createError(code: string, message: string, node: ASTNode): Error;
}
interface Evaluator {
  run(node: ASTNode, context: unknown): unknown;
  debugType(value: unknown): { fieldLazy(of: unknown, name: string, node: ASTNode, evaluator: Evaluator): unknown };
}

interface Macro {
  readonly async: boolean;
  typeCheck(checker: Checker, macro: unknown, context: unknown): unknown;
  evaluate(evaluator: Evaluator, macro: unknown, context: unknown): unknown;
}

/** A node of the package's, with what its declarations leave out. */
interface NodeInside {
  readonly meta: {
    check(checker: Checker, node: ASTNode, context: unknown): unknown;
    evaluate(evaluator: Evaluator, node: ASTNode, context: unknown): unknown;
  };
  setMeta(name: 'macro', macro: Macro): void;
}

const inside = (node: ASTNode): NodeInside => node as unknown as NodeInside;

/** `has` of any selection: the package's own takes plain names only, not `has(a["b"].c)`. */
export function replaceHas(call: ASTNode & { op: 'call' }): void {
  const selection = call.args[1][0]!;
  inside(call).setMeta('macro', {
    async: false,
    typeCheck(checker, _macro, context) {
      if (selection.op !== '.') {
        throw checker.createError('invalid_macro_argument', 'invalid argument to has() macro', selection);
      }
      checker.check(selection, context);
      return checker.getType('bool');
    },
    evaluate(evaluator, _macro, context) {
      const [target, name] = (selection as ASTNode & { op: '.' }).args;
      const value = evaluator.run(target, context);
      return evaluator.debugType(value).fieldLazy(value, name, target, evaluator) !== undefined;
    },
  });
}

/** `in` of maps that answer with something for each key: a key is there when the map has it. */
export function replaceIn(node: ASTNode & { op: 'in' }): void {
  const { check, evaluate } = inside(node).meta;
  const [key, container] = node.args;
  inside(node).setMeta('macro', {
    async: false,
    typeCheck: (checker, _macro, context) => check(checker, node, context),
    evaluate(evaluator, _macro, context) {
      const map = evaluator.run(container, context);
      return map instanceof Map ? map.has(evaluator.run(key, context)) : evaluate(evaluator, node, context);
    },
  });
}
