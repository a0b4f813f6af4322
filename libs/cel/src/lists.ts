import type { Environment } from '@marcbachmann/cel-js';
import { isSameElement } from './elements.ts';

type Ordered = bigint | number | string | boolean;

function extreme(list: readonly Ordered[], name: string, isBetter: (one: Ordered, other: Ordered) => boolean): Ordered {
  const [first, ...rest] = list;
  if (first === undefined) throw new Error(`${name} called on empty list`);
  return rest.reduce((best, one) => (isBetter(one, best) ? one : best), first);
}

const isSorted = (list: readonly Ordered[]): boolean => list.every((one, i) => i === 0 || list[i - 1]! <= one);

const compare = (one: Ordered, other: Ordered): number => (one < other ? -1 : one > other ? 1 : 0);

function distinct(list: readonly unknown[]): unknown[] {
  return list.filter((one, i) => list.findIndex((other) => isSameElement(one, other)) === i);
}

function slice(list: readonly unknown[], start: bigint, end: bigint): unknown[] {
  if (start < 0n || end < 0n) throw new Error(`cannot slice(${start}, ${end}), negative indexes not supported`);
  if (start > end)
    throw new Error(`cannot slice(${start}, ${end}), start index must be less than or equal to end index`);
  if (end > BigInt(list.length)) throw new Error(`cannot slice(${start}, ${end}), list is length ${list.length}`);
  return list.slice(Number(start), Number(end));
}

/** https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-list-library, and some of cel-go's ext.Lists */
export function addLists(environment: Environment): void {
  environment
    .registerFunction('list<T>.isSorted(): bool', isSorted)
    .registerFunction('list<T>.min(): T', (list: readonly Ordered[]) => extreme(list, 'min', (a, b) => a < b))
    .registerFunction('list<T>.max(): T', (list: readonly Ordered[]) => extreme(list, 'max', (a, b) => a > b))
    .registerFunction('list<int>.sum(): int', (list: readonly bigint[]) => list.reduce((sum, one) => sum + one, 0n))
    .registerFunction('list<double>.sum(): double', (list: readonly number[]) =>
      list.reduce((sum, one) => sum + one, 0),
    )
    .registerFunction('list<T>.indexOf(T): int', (list: readonly unknown[], one: unknown) =>
      BigInt(list.findIndex((other) => isSameElement(one, other))),
    )
    .registerFunction('list<T>.lastIndexOf(T): int', (list: readonly unknown[], one: unknown) =>
      BigInt(list.findLastIndex((other) => isSameElement(one, other))),
    )
    .registerFunction('list<T>.distinct(): list<T>', distinct)
    .registerFunction('list<T>.reverse(): list<T>', (list: readonly unknown[]) => list.toReversed())
    .registerFunction('list<T>.slice(int, int): list<T>', slice)
    .registerFunction('list<T>.sort(): list<T>', (list: readonly Ordered[]) => list.toSorted(compare));
}
