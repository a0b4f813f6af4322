import type { PodMetrics } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';

/** What was last heard of the pods of a namespace: by name, or why nothing was heard. */
export type HeardMetrics =
  | { readonly byPod: ReadonlyMap<string, DeepReadonly<PodMetrics>> }
  | { readonly problem: string };

/**
 * What pods use: an input of the autoscaler beside the view, since it is no part of the log. Read-only and without I/O,
 * like a view; `UsageFeed` keeps it.
 */
export interface PodUsage {
  /** Undefined: not heard of yet. */
  in(namespace: string): HeardMetrics | undefined;
}
