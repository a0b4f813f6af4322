import { type ASTNode, type Environment, EvaluationError as RuntimeError } from '@marcbachmann/cel-js';
import { CompileError } from './compile-error.ts';
import { costOf, type Extent } from './cost.ts';
import { isFunction } from './function-costs.ts';
import { checkLiterals, patternSizes } from './literals.ts';
import { partsOf, positionOf, typeOf } from './nodes.ts';
import { PATTERN_SIZE_MAX } from './pattern-size.ts';
import { replaceHas, replaceIn } from './presence.ts';
import { MATCHES } from './regular-expressions.ts';

export { CompileError };

/** Of an expression that is right and cannot be evaluated with these values: `no such key: model`. */
export class EvaluationError extends Error {}

export interface CompiledExpression {
  /** `bool`, `list(string)`, `dyn` for what only the evaluation shows. */
  readonly type: string;
  /** The most that an evaluation costs, whatever the values are, as long as they keep to their extents. */
  readonly costMax: number;
  /** Throws EvaluationError. */
  evaluate(values: Readonly<Record<string, unknown>>): unknown;
}

/** Puts what Kubernetes means in the place of what the package would do. */
function prepare(environment: Environment, node: ASTNode): void {
  if (node.op === 'call' && node.args[0] === 'has' && node.args[1].length === 1) replaceHas(node);
  if (node.op === 'in') replaceIn(node);
  if (node.op === 'call' || node.op === 'rcall') {
    const name = node.args[0];
    const isMacro = node.op === 'rcall' && MACROS.has(name);
    if (!isMacro && !isFunction(name)) throw CompileError.undeclared(name, node);
    checkLiterals(environment, node);
    if (node.op === 'rcall' && name === 'matches') node.args[0] = MATCHES;
  }
  for (const part of partsOf(node)) prepare(environment, part);
}

/** Objects have fields, but are no maps: `device["driver"]` is nothing. */
function refuseIndexedObjects(node: ASTNode): void {
  if (node.op === '[]') {
    const [target, index] = node.args;
    const { kind } = (target as { checkedType?: { kind: string } }).checkedType ?? {};
    if (kind === 'message') {
      const text = `found no matching overload for '_[_]' applied to '(${typeOf(target)}, ${typeOf(index)})'`;
      throw CompileError.at(text, node.input, positionOf(node));
    }
  }
  for (const part of partsOf(node)) refuseIndexedObjects(part);
}

const MACROS = new Set(['all', 'bind', 'exists', 'exists_one', 'filter', 'map']);

/**
 * Checks `text` against the environment. `extents` says how large its variables may be. Throws CompileError, whose
 * message is worded and drawn as cel-go's.
 */
export function compile(
  environment: Environment,
  text: string,
  extents: Readonly<Record<string, Extent>> = {},
): CompiledExpression {
  try {
    const parsed = environment.parse(text);
    if (patternSizes(parsed.ast) > PATTERN_SIZE_MAX) {
      throw CompileError.at('the regular expressions are too large', text, 0);
    }
    const { cost } = costOf(parsed.ast, extents);
    prepare(environment, parsed.ast);
    const { valid, type, error } = parsed.check();
    if (!valid) throw error;
    refuseIndexedObjects(parsed.ast);
    return {
      type: type!
        .replaceAll('<', '(')
        .replaceAll('>', ')')
        .replace(/^null$/, 'null_type'),
      costMax: Math.ceil(cost),
      evaluate(values) {
        try {
          return parsed(values);
        } catch (problem) {
          throw new EvaluationError(reasonOf(problem), { cause: problem });
        }
      },
    };
  } catch (error) {
    throw CompileError.of(error, text);
  }
}

/** In cel-go's words, which begin in lower case. */
function reasonOf(problem: unknown): string {
  const text = problem instanceof RuntimeError ? problem.summary : (problem as Error).message;
  return text.replace(/^No such key/, 'no such key').replace(/^(no such overload|integer overflow): .*$/s, '$1');
}
