import type { Entry } from '@periplus/cache';

/** What the picture of a cluster takes of an object, from the cache or from wherever it was read. */
export type Depicted = Pick<Entry, 'key' | 'bytes' | 'object' | 'resourceVersion' | 'createRevision'>;
