import type { ObjectMeta } from '@periplus/apimachinery';

/**
 * An object as the cluster has it: `metadata` is always there, and so are the members named `Always`
 * (defaults fill them in). The rest of the type is `kubernetes-models`' interface.
 */
export type Stored<T, Always extends keyof T = never> = Omit<T, 'metadata' | Always> &
  Required<Pick<T, Always>> & { metadata: ObjectMeta };
