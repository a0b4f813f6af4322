import type { Pod } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import type { PodShape, PodShapes } from './pod-shape.ts';

/** A pod that has no node yet. */
export interface PodInfo {
  readonly uid: string;
  readonly pod: DeepReadonly<Pod>;
  readonly shape: PodShape;
  readonly priority: number;
  /** The revision that created it: its place among pods of the same priority. */
  readonly createRevision: number;
}

/** Where a pod is to go. */
export interface Placement {
  readonly pod: PodInfo;
  readonly node: string;
}

export const podInfo = (pod: DeepReadonly<Pod>, shapes: PodShapes, createRevision: number): PodInfo => ({
  uid: pod.metadata.uid!,
  pod,
  shape: shapes.of(pod),
  priority: pod.spec.priority ?? 0,
  createRevision,
});
