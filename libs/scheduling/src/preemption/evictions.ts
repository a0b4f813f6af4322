import { pod as podKind } from '@periplus/api';
import { isConflict, isNotFound } from '@periplus/apimachinery';
import type { Command, CommandCause, CommandClient } from '@periplus/client';
import type { Reports } from '../reports.ts';
import type { PlacedPods } from './placed-pods.ts';
import type { Victim } from './victims.ts';

/** Pods that are being preempted at once; preemption waits meanwhile. */
const EVICTIONS_MAX = 512;

/** Who is to go from a node, and for whom. */
export interface Preemption {
  readonly by: { readonly kind: 'pod' | 'podgroup'; readonly uid: string };
  readonly schedulerName: string;
  readonly node: string;
  readonly victims: readonly Victim[];
}

export interface EvictionsDeps {
  commands: CommandClient;
  placed: PlacedPods;
  reports: Reports;
  signal: AbortSignal;
}

/** https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions */
const eviction = ({ namespace, name, uid }: Victim, { by, schedulerName }: Preemption): Command => ({
  ...{ verb: 'delete', kind: podKind, namespace, name, ifUid: uid },
  disruption: {
    reason: 'PreemptionByScheduler',
    message: `${schedulerName}: preempting to accommodate a higher priority ${by.kind}`,
  },
});

/** Makes the victims of preemption go: deletes them with their grace, which says why in their condition, and tells of it. */
export class Evictions {
  private readonly deps: EvictionsDeps;
  private underWay = 0;

  constructor(deps: EvictionsDeps) {
    this.deps = deps;
  }

  get isFull(): boolean {
    return this.underWay >= EVICTIONS_MAX;
  }

  /** Resolves to the revision at which all are on their way or gone; rejects when one could not be deleted. */
  async evict(preemption: Preemption, cause: CommandCause | null): Promise<number> {
    const { going } = this.deps.placed;
    const staying = preemption.victims.filter(({ uid, isLeaving }) => !isLeaving && !going.has(uid));
    this.underWay += staying.length;
    const results = await Promise.allSettled(
      staying.map((victim) =>
        this.evictOne(victim, preemption, cause).finally(() => {
          this.underWay -= 1;
        }),
      ),
    );
    let revision = 0;
    for (const result of results) {
      if (result.status === 'rejected') throw result.reason;
      revision = Math.max(revision, result.value);
    }
    return revision;
  }

  private async evictOne(victim: Victim, preemption: Preemption, cause: CommandCause | null): Promise<number> {
    const { commands, placed, reports, signal } = this.deps;
    const { by, schedulerName, node } = preemption;
    placed.going.add(victim.uid);
    try {
      const { revision } = await commands.send(eviction(victim, preemption), cause, signal);
      const message = `Preempted by ${by.kind} ${by.uid} on node ${node}`;
      reports.record(victim, { schedulerName, cause }, 'Normal', 'Preempted', message);
      return revision;
    } catch (error) {
      // Gone, or another pod has its name.
      if (isNotFound(error) || isConflict(error)) return 0;
      placed.going.delete(victim.uid);
      throw error;
    }
  }
}
