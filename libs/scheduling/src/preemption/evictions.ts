import { pod as podKind } from '@periplus/api';
import { formatTime, isConflict, isNotFound } from '@periplus/apimachinery';
import type { Command, CommandCause, CommandClient } from '@periplus/client';
import type { PodInfo } from '../pod-info.ts';
import type { Reports } from '../reports.ts';
import type { Candidate } from './candidates.ts';
import type { PlacedPods } from './placed-pods.ts';
import type { Victim } from './victims.ts';

/** Pods that are being preempted at once; preemption waits meanwhile. */
const EVICTIONS_MAX = 512;

export interface EvictionsDeps {
  commands: CommandClient;
  placed: PlacedPods;
  reports: Reports;
  nowMs(): number;
  signal: AbortSignal;
}

const victimTarget = ({ namespace, name, uid }: Victim) => ({ kind: podKind, namespace, name, ifUid: uid });

/** https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions */
function disruption(victim: Victim, schedulerName: string, nowMs: number): Command {
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'PreemptionByScheduler',
    message: `${schedulerName}: preempting to accommodate a higher priority pod`,
    lastProbeTime: null,
    lastTransitionTime: formatTime(nowMs),
  };
  const patch = { status: { conditions: [condition] } };
  return { ...victimTarget(victim), subresource: 'status', verb: 'patch', type: 'strategic', patch };
}

/** Makes the victims of preemption go: says why in their condition, deletes them with their grace, and tells of it. */
export class Evictions {
  private readonly deps: EvictionsDeps;
  private underWay = 0;

  constructor(deps: EvictionsDeps) {
    this.deps = deps;
  }

  get isFull(): boolean {
    return this.underWay >= EVICTIONS_MAX;
  }

  /** Resolves when all are on their way or gone; rejects when one could not be deleted. */
  async evict(preemptor: PodInfo, cause: CommandCause | null, { node, victims }: Candidate): Promise<void> {
    const staying = victims.pods.filter(({ isLeaving }) => !isLeaving);
    this.underWay += staying.length;
    const results = await Promise.allSettled(
      staying.map((victim) =>
        this.evictOne(preemptor, cause, victim, node).finally(() => {
          this.underWay -= 1;
        }),
      ),
    );
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  private async evictOne(
    { uid, shape }: PodInfo,
    cause: CommandCause | null,
    victim: Victim,
    node: string,
  ): Promise<void> {
    const { commands, placed, reports, signal } = this.deps;
    placed.going.add(victim.uid);
    try {
      await commands.send(disruption(victim, shape.schedulerName, this.deps.nowMs()), cause, signal);
      await commands.send({ ...victimTarget(victim), verb: 'delete' }, cause, signal);
    } catch (error) {
      // Gone, or another pod has its name.
      if (isNotFound(error) || isConflict(error)) return;
      placed.going.delete(victim.uid);
      throw error;
    }
    reports.record(victim, cause, 'Normal', 'Preempted', `Preempted by pod ${uid} on node ${node}`);
  }
}
