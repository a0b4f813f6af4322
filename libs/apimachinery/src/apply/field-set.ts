import type { FieldSet } from '../object.ts';

/*
 * Sets of fields are values: no function changes its arguments, and results share parts with them.
 */

export const NO_FIELDS: FieldSet = {};

/** A member that is in the set, with nothing below. */
export const LEAF: FieldSet = {};

/** The member that says that its parent is in the set. */
export const SELF = '.';

type Node = FieldSet | undefined;

/** Of members of a set, not of a whole set: the root is never a field. */
const isIn = (node: FieldSet): boolean => {
  for (const name in node) return node[SELF] !== undefined || name === SELF;
  return true;
};

const nodeOf = (set: FieldSet): Node => (isEmpty(set) ? undefined : set);

export function isEmpty(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
}

/** A member; undefined when it is not in the set, and nothing below it is. */
const nodeFrom = (isMember: boolean, members: Record<string, FieldSet>): Node => {
  if (isEmpty(members)) return isMember ? LEAF : undefined;
  return isMember ? { [SELF]: LEAF, ...members } : members;
};

export const union = (a: FieldSet, b: FieldSet): FieldSet => unite(nodeOf(a), nodeOf(b)) ?? NO_FIELDS;

function unite(a: Node, b: Node): Node {
  if (a === undefined || a === b) return b;
  if (b === undefined) return a;
  const isMember = isIn(a) || isIn(b);
  const members: Record<string, FieldSet> = {};
  for (const name in a) if (name !== SELF) members[name] = a[name] as FieldSet;
  for (const name in b) if (name !== SELF) members[name] = unite(members[name], b[name]) as FieldSet;
  return nodeFrom(isMember, members);
}

/** What of `a` is not in `b`. What lies below a field of `b` stays, unless it is itself in `b`. */
export const difference = (a: FieldSet, b: FieldSet): FieldSet => subtract(nodeOf(a), nodeOf(b)) ?? NO_FIELDS;

function subtract(a: Node, b: Node): Node {
  if (a === undefined || a === b) return undefined;
  if (b === undefined) return a;
  const members: Record<string, FieldSet> = {};
  let isSame = true;
  for (const name in a) {
    if (name === SELF) continue;
    const before = a[name] as FieldSet;
    const rest = subtract(before, b[name]);
    if (rest !== before) isSame = false;
    if (rest !== undefined) members[name] = rest;
  }
  const isMember = isIn(a);
  const stays = isMember && !isIn(b);
  return isSame && stays === isMember ? a : nodeFrom(stays, members);
}

export const intersection = (a: FieldSet, b: FieldSet): FieldSet => common(nodeOf(a), nodeOf(b)) ?? NO_FIELDS;

function common(a: Node, b: Node): Node {
  if (a === undefined || b === undefined) return undefined;
  if (a === b) return a;
  const members: Record<string, FieldSet> = {};
  for (const name in a) {
    if (name === SELF) continue;
    const both = common(a[name], b[name]);
    if (both !== undefined) members[name] = both;
  }
  return nodeFrom(isIn(a) && isIn(b), members);
}

export const sameFields = (a: FieldSet, b: FieldSet): boolean => same(nodeOf(a), nodeOf(b));

function same(a: Node, b: Node): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || isIn(a) !== isIn(b)) return false;
  for (const name in a) if (name !== SELF && !same(a[name], b[name])) return false;
  for (const name in b) if (name !== SELF && a[name] === undefined) return false;
  return true;
}

/** The set below one element; undefined when it has nothing there. */
export const below = (set: FieldSet, element: string): Node => {
  const node = set[element];
  if (node === undefined || isEmpty(node)) return undefined;
  const { [SELF]: _, ...members } = node;
  return nodeOf(members);
};

export const hasElement = (set: FieldSet, element: string): boolean => {
  const node = set[element];
  return node !== undefined && isIn(node);
};

/** A member made of whether it is itself in the set and of what is below it. */
export const member = (isMember: boolean, members: FieldSet): Node => nodeFrom(isMember, members);

/** Every field of the set as the list of its path's elements. */
export function* pathsOf(set: FieldSet, parents: readonly string[] = []): Generator<readonly string[]> {
  for (const name in set) {
    if (name === SELF) continue;
    const path = [...parents, name];
    const node = set[name] as FieldSet;
    if (isIn(node)) yield path;
    yield* pathsOf(node, path);
  }
}
