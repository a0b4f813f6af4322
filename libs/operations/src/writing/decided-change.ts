import type { Kind } from '@periplus/api';
import type { KubeObject } from '@periplus/apimachinery';
import type { Entry } from '@periplus/cache';
import type { RequestContext } from '../types.ts';

/** One change of one object, decided. */
export interface DecidedChange {
  readonly context: RequestContext;
  /** For the provenance: create, update, patch, delete, bind. */
  readonly verb: string;
  /** The kind that was asked for. */
  readonly kind: Kind;
  /** What is replaced; null for a new object. */
  readonly old: Entry | null;
  /** The new state in its stored form; null to remove it. */
  readonly object: KubeObject | null;
  /** What a removal answers with, where that is not the state of before. */
  readonly last?: KubeObject;
}
