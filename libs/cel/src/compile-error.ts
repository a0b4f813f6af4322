import type { ASTNode } from '@marcbachmann/cel-js';
import { positionOf, typeOf } from './nodes.ts';
import { MATCHES } from './regular-expressions.ts';

/** What the package's errors have in common. */
interface PackageError extends Error {
  readonly code?: string;
  readonly summary?: string;
  readonly node?: ASTNode;
  readonly range?: { readonly start: number; readonly end: number };
}

/** What is wrong, and where. */
interface Problem {
  readonly text: string;
  readonly position: number;
}

/** The stack has an end, and so has nesting. */
const TOO_DEEP = 'ERROR: <input>:-1:0: expression recursion limit exceeded: 250';
const OPERAND = `{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}`;

const BINARY = /^no such overload: (.+) (\S+) (.+)$/;
const UNARY = /^no such overload: ([!-])(.+)$/;
const CALL = /^found no matching overload for '(?:(.+)\.)?(\w+)\((.*)\)'$/s;
const ELEMENT = /(expected type '.+' but found '.+')$/;

const typeName = (type: string): string => type.replaceAll('<', '(').replaceAll('>', ')');
const undeclared = (name: string): string => `undeclared reference to '${name}' (in container '')`;
const unmatched = (name: string, types: string): string =>
  `found no matching overload for '${name}' applied to '${typeName(types)}'`;

/** What an operator or a function was given that it does not take. */
function overloadText(text: string): string {
  const [, left, operator, right] = BINARY.exec(text) ?? [];
  if (operator) return unmatched(operator === 'in' ? '@in' : `_${operator}_`, `(${left}, ${right})`);
  const [, sign, operand] = UNARY.exec(text) ?? [];
  if (sign) return unmatched(`${sign}_`, `(${operand})`);
  const [, receiver, name, types] = CALL.exec(text) ?? [];
  if (!name) return text;
  if (receiver === 'Sets') return unmatched(`sets.${name}`, `(${types})`);
  return unmatched(name === MATCHES ? 'matches' : name, `${receiver === undefined ? '' : `${receiver}.`}(${types})`);
}

/** What stands where the grammar has something else. */
function syntaxText(code: string, text: string, input: string, start: number, end: number): string {
  const [token = ''] = /^(?:\w+|[=!<>&|]{2}|\S)/.exec(input.slice(start)) ?? [];
  if (text.endsWith(': EOF')) return `Syntax error: mismatched input '<EOF>' expecting ${OPERAND}`;
  if (code === 'unexpected_token') return `Syntax error: extraneous input '${token}' expecting ${OPERAND}`;
  if (text === `Unexpected character: '${token[0]}'`)
    return `Syntax error: extraneous input '${token}' expecting <EOF>`;
  if (text.startsWith('Expected IDENTIFIER')) {
    const dot = Math.max(input.lastIndexOf('.', start - 1), 0);
    return `Syntax error: no viable alternative at input '${input.slice(dot, end).trim()}'`;
  }
  return text.startsWith('Reserved identifier') ? text.replace('R', 'r') : `Syntax error: ${text}`;
}

/** The operand that is no condition. */
function operandProblem(node: ASTNode, text: string): Problem {
  const found = /got '(.+)'$/.exec(text)?.[1] ?? '';
  const operands = Array.isArray(node.args) ? (node.args as ASTNode[]) : [];
  const wrong = operands.find((operand) => typeOf(operand) === found) ?? node;
  return { text: `expected type 'bool' but found '${typeName(found)}'`, position: positionOf(wrong) };
}

/** The same in the words and at the places of cel-go, which users of Kubernetes know. */
function translated({ code = '', summary, message, node, range }: PackageError, input: string): Problem {
  const text = summary ?? message;
  const name = text.slice(text.indexOf(': ') + 2);
  const start = range?.start ?? node?.start ?? 0;
  const place = node && 'op' in node ? positionOf(node) : start;
  if (node && code === 'invalid_logical_operand') return operandProblem(node, text);
  if (node && code === 'incompatible_ternary_branches') {
    const types = (node.args as ASTNode[]).map(typeOf).join(', ');
    return { text: unmatched('_?_:_', `(${types})`), position: place };
  }
  switch (code) {
    case 'unknown_variable':
      return { text: undeclared(name), position: start };
    case 'no_such_key':
      return { text: `undefined field '${name}'`, position: Math.max(input.lastIndexOf('.', start), 0) };
    case 'no_such_overload':
    case 'no_matching_overload':
      return { text: overloadText(text), position: place };
    case 'heterogeneous_list_element':
    case 'heterogeneous_map_key':
    case 'heterogeneous_map_value':
      return { text: ELEMENT.exec(text)?.[1] ?? text, position: start };
    case 'invalid_index_type':
    case 'cannot_index_type': {
      const [, target = '', index] = /'([^']+)'(?: with type '([^']+)')?$/.exec(text) ?? [];
      return { text: unmatched('_[_]', `(${target}, ${index ?? 'dyn'})`), position: place };
    }
    default:
      if (text.startsWith('Expression of type')) {
        return { text: text.replace('E', 'e').replace(/\.$/, ''), position: place };
      }
      if (node && 'op' in node) return { text, position: start };
      return { text: syntaxText(code, text, input, start, range?.end ?? start), position: start };
  }
}

function drawn(text: string, input: string, position: number): string {
  // There is nothing to draw.
  if (input === '') return `ERROR: <input>:1:0: ${text}`;
  const before = input.slice(0, position).split('\n');
  const column = before.at(-1)!.length;
  const line = input.split('\n')[before.length - 1] ?? '';
  return `ERROR: <input>:${before.length}:${column + 1}: ${text}\n | ${line}\n | ${'.'.repeat(column)}^`;
}

/** Of an expression that cannot be evaluated, whatever the values are. */
export class CompileError extends Error {
  static at(text: string, input: string, position: number): CompileError {
    return new CompileError(drawn(text, input, position));
  }

  /** Of a call of what there is not. */
  static undeclared(name: string, node: ASTNode): CompileError {
    return CompileError.at(undeclared(name), node.input, positionOf(node));
  }

  static of(error: unknown, input: string): CompileError {
    if (error instanceof CompileError) return error;
    const problem = error as PackageError;
    const isDeep = error instanceof RangeError || problem.summary?.startsWith('Exceeded maxDepth');
    if (isDeep) return new CompileError(TOO_DEEP, { cause: error });
    const { text, position } = translated(problem, input);
    return new CompileError(drawn(text, input, position), { cause: error });
  }
}
