import type { ASTNode } from '@marcbachmann/cel-js';

const isNode = (value: unknown): value is ASTNode => typeof value === 'object' && value !== null && 'op' in value;

/** The nodes right below. */
export const partsOf = ({ args }: ASTNode): ASTNode[] =>
  (Array.isArray(args) ? args.flat(2) : [args]).filter((part: unknown) => isNode(part));

/** The name of the type that the check has found; '' before. */
export const typeOf = (node: ASTNode): string => (node as { checkedType?: { name: string } }).checkedType?.name ?? '';

const skipped = (input: string, from: number, pattern: RegExp): number =>
  from + pattern.exec(input.slice(from))![0].length;

/**
 * Where cel-go says that a node is: at the parenthesis of a call, the dot of a selection, the bracket of an index, the
 * operator between operands; else where it begins.
 */
export function positionOf(node: ASTNode): number {
  const { input, start } = node;
  if (node.op === 'call') return Math.max(input.indexOf('(', start), 0);
  if (node.op === 'rcall') return Math.max(input.indexOf('(', node.args[1].end), 0);
  const [left] = Array.isArray(node.args) ? node.args : [];
  const isFirst = isNode(left) && node.op !== 'list' && node.op !== 'map';
  // Parentheses belong to nobody.
  return isFirst ? skipped(input, left.end, /^[\s)]*/) : start;
}
