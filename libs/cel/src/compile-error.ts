import type { ASTNode } from '@marcbachmann/cel-js';

/** What the package's errors have in common. */
interface PackageError extends Error {
  readonly code?: string;
  readonly summary?: string;
  readonly node?: ASTNode;
  readonly range?: { readonly start: number; readonly end: number };
}

/** The stack has an end, and so has nesting that no limit of the parser counts. */
const TOO_DEEP = 'ERROR: <input>:-1:0: expression recursion limit exceeded';
/** What may stand where an expression ends too early. */
const EXPECTED = `{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}`;

const BINARY = /^no such overload: (.+) (\S+) (.+)$/;
const UNARY = /^no such overload: ([!-])(.+)$/;
const CALL = /^found no matching overload for '(?:(.+)\.)?(\w+)\((.*)\)'$/s;

const typeName = (type: string): string => type.replaceAll('<', '(').replaceAll('>', ')');

/** The same in the words of cel-go, which users of Kubernetes know. */
function translated({ code, summary, message }: PackageError): string {
  const text = summary ?? message;
  const after = text.slice(text.indexOf(': ') + 2);
  if (code === 'unknown_variable') return `undeclared reference to '${after}' (in container '')`;
  if (code === 'no_such_key') return `undefined field '${after}'`;
  if (code === 'unexpected_token' && after === 'EOF') {
    return `Syntax error: mismatched input '<EOF>' expecting ${EXPECTED}`;
  }
  const [, left, operator, right] = BINARY.exec(text) ?? [];
  if (operator)
    return `found no matching overload for '${operator === 'in' ? '@in' : `_${operator}_`}' applied to '(${typeName(left!)}, ${typeName(right!)})'`;
  const [, sign, operand] = UNARY.exec(text) ?? [];
  if (sign) return `found no matching overload for '${sign}_' applied to '(${typeName(operand!)})'`;
  const [, receiver, name, types] = CALL.exec(text) ?? [];
  if (name) {
    const of = receiver === undefined ? '' : `${typeName(receiver)}.`;
    return `found no matching overload for '${name.replace(/^matchesInLinearTime$/, 'matches')}' applied to '${of}(${typeName(types!)})'`;
  }
  return code === 'parse_error' || code?.startsWith('unexpected') ? `Syntax error: ${text}` : text;
}

/** Where the arguments of a call begin. */
function openingOf(node: ASTNode): number {
  const from = node.op === 'rcall' ? node.args[1].end : node.start;
  return Math.max(node.input.indexOf('(', from), 0);
}

/** Where the operator of two operands stands: behind the first, and what may enclose it. */
function operatorOf({ args, input, start }: ASTNode): number {
  const [left] = Array.isArray(args) ? args : [];
  if (typeof left !== 'object' || left === null || !('end' in left)) return start;
  return left.end + /^[\s)]*/.exec(input.slice(left.end))![0].length;
}

/** Where cel-go points: at a call's parenthesis, at the dot of a selection, at an operator. */
function positionOf({ code, node, range }: PackageError, text: string): number {
  const start = range?.start ?? node?.start ?? 0;
  if (code === 'no_such_key') return Math.max(text.lastIndexOf('.', start), 0);
  if (code === 'no_such_overload' && node) return operatorOf(node);
  return code === 'no_matching_overload' && node ? openingOf(node) : start;
}

function drawn(problem: string, text: string, position: number): string {
  const before = text.slice(0, position).split('\n');
  const column = before.at(-1)!.length;
  const line = text.split('\n')[before.length - 1] ?? '';
  return `ERROR: <input>:${before.length}:${column + 1}: ${problem}\n | ${line}\n | ${'.'.repeat(column)}^`;
}

/** Of an expression that cannot be evaluated, whatever the values are. */
export class CompileError extends Error {
  static undeclared(name: string, node: ASTNode): CompileError {
    return new CompileError(drawn(`undeclared reference to '${name}' (in container '')`, node.input, openingOf(node)));
  }

  static of(error: unknown, text: string): CompileError {
    if (error instanceof CompileError) return error;
    if (error instanceof RangeError) return new CompileError(TOO_DEEP, { cause: error });
    const problem = error as PackageError;
    return new CompileError(drawn(translated(problem), text, positionOf(problem, text)), { cause: error });
  }
}
