import type { Environment } from '@marcbachmann/cel-js';
import { isSameElement } from './elements.ts';

type List = readonly unknown[];

class Sets {}

const has = (list: List, one: unknown): boolean => list.some((other) => isSameElement(one, other));
const contains = (list: List, part: List): boolean => part.every((one) => has(list, one));

/** Lists taken as sets. https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-list-library, cel-go's ext.Sets */
export function addSets(environment: Environment): void {
  environment
    .registerType('Sets', { ctor: Sets, fields: {} })
    .registerConstant('sets', 'Sets', new Sets())
    .registerFunction('Sets.contains(list, list): bool', (_: Sets, list: List, part: List) => contains(list, part))
    .registerFunction(
      'Sets.equivalent(list, list): bool',
      (_: Sets, one: List, other: List) => contains(one, other) && contains(other, one),
    )
    .registerFunction('Sets.intersects(list, list): bool', (_: Sets, one: List, other: List) =>
      one.some((item) => has(other, item)),
    );
}
