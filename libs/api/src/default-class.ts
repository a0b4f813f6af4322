import type { DeepReadonly, KubeObject } from '@periplus/apimachinery';

type Dated = Pick<DeepReadonly<KubeObject>, 'metadata'>;

/** Which of several default classes counts: the newest; the first by name of those of one second. */
export const newestOf = <T extends Dated>(classes: readonly T[]): T | undefined =>
  [...classes].sort(
    ({ metadata: one }, { metadata: other }) =>
      compare(other.creationTimestamp!, one.creationTimestamp!) || compare(one.name!, other.name!),
  )[0];

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
