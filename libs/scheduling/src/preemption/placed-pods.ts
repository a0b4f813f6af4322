import type { Pod } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';

/** What is known of a pod that has a node, besides what it takes there. */
export interface PlacedPod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** When it started; Infinity while it has not, so that it counts as the youngest. */
  readonly startMs: number;
}

const isPreempted = ({ metadata, status }: DeepReadonly<Pod>): boolean =>
  metadata.deletionTimestamp !== undefined &&
  (status?.conditions ?? []).some(
    ({ type, status, reason }) =>
      type === 'DisruptionTarget' && status === 'True' && reason === 'PreemptionByScheduler',
  );

/** The pods that have nodes, by uid, for whom it may have to be known who they are. */
export class PlacedPods {
  private readonly pods = new Map<string, PlacedPod>();
  /** Those that were preempted and are on their way out, or soon will be. */
  readonly going = new Set<string>();

  set(pod: DeepReadonly<Pod>): void {
    const { uid, namespace, name } = pod.metadata;
    const startMs = pod.status?.startTime ? Date.parse(pod.status.startTime) : Number.POSITIVE_INFINITY;
    this.pods.set(uid!, { uid: uid!, namespace: namespace!, name: name!, startMs });
    if (isPreempted(pod)) this.going.add(uid!);
  }

  delete(uid: string): void {
    this.pods.delete(uid);
    this.going.delete(uid);
  }

  get(uid: string): PlacedPod | undefined {
    return this.pods.get(uid);
  }
}
