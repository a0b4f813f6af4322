import type { Environment } from '@marcbachmann/cel-js';
import { isSameElement } from './elements.ts';

type Ordered = bigint | number | string | boolean;

function extreme(list: readonly Ordered[], name: string, isBetter: (one: Ordered, other: Ordered) => boolean): Ordered {
  const [first, ...rest] = list;
  if (first === undefined) throw new Error(`${name} called on empty list`);
  return rest.reduce((best, one) => (isBetter(one, best) ? one : best), first);
}

const isSorted = (list: readonly Ordered[]): boolean => list.every((one, i) => i === 0 || list[i - 1]! <= one);

/** https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-list-library */
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
    );
}
