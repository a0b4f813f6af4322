import type { ClusterCache } from '@periplus/cache';
import type { CommandCause } from '@periplus/client';
import type { Logger } from '@periplus/component';
import type { ClusterPicture } from '../cluster-picture.ts';
import { noLongerNominated } from '../commands.ts';
import type { PodInfo } from '../pod-info.ts';
import type { Reports } from '../reports.ts';
import type { SchedulingQueue, Waiting } from '../scheduling-queue.ts';
import type { Evictions, Preemption } from './evictions.ts';

export interface PreemptionsDeps {
  picture: ClusterPicture;
  queue: SchedulingQueue;
  evictions: Evictions;
  cache: Pick<ClusterCache, 'waitFor'>;
  reports: Reports;
  log: Logger;
  /** Aborts when the leadership is over. */
  signal: AbortSignal;
}

/** Carries out what was decided about who has to leave for whom. */
export class Preemptions {
  private readonly deps: PreemptionsDeps;
  private readonly onDone: () => void;

  /** `onDone`: there is room for more evictions again. */
  constructor(deps: PreemptionsDeps, onDone: () => void) {
    this.deps = deps;
    this.onDone = onDone;
  }

  /** Those who were promised the node before, and are less important, have to look elsewhere. */
  promise(pod: PodInfo, node: string, cause: CommandCause | null): void {
    const { picture, queue, reports } = this.deps;
    const { nominations, groups } = picture;
    for (const other of nominations.on(node)) {
      if (other.priority >= pod.priority) continue;
      nominations.withdraw(other.uid);
      queue.activate(groups.queuedAs(other.uid), cause);
      void reports.send(noLongerNominated(other.pod), cause);
    }
    nominations.nominate(pod, node);
  }

  /**
   * Has the victims go. `tell` says why `waiting` has to wait, if it has to: victims without grace are gone, and their
   * places taken, before that is written.
   */
  async carryOut(waiting: Waiting, preemptions: readonly Preemption[], tell: () => void): Promise<void> {
    const { evictions, cache, queue, log, signal } = this.deps;
    try {
      const evicted = preemptions.map((preemption) => evictions.evict(preemption, waiting.cause));
      await cache.waitFor(Math.max(...(await Promise.all(evicted))), signal);
      if (waiting.state === 'unschedulable') tell();
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ error, nodes: preemptions.map(({ node }) => node) }, 'a pod could not be preempted');
      queue.activate(waiting.pod.uid, null);
    }
    this.onDone();
  }
}
