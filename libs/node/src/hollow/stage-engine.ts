import { type Kind, pod as podKind } from '@periplus/api';
import { isNotFound, type JsonObject } from '@periplus/apimachinery';
import type { CommandClient } from '@periplus/client';
import type { Logger } from '@periplus/component';
import { type Clock, DelayQueue } from '@periplus/reconcile';
import type { Pod } from '../pod/pod-types.ts';
import { nextStage, type Stage, type StageContext, type StageDelays } from './stages.ts';

const RETRY_MS = 1_000;

export interface StageEngineDeps {
  commands: CommandClient;
  clock: Clock;
  delays: StageDelays;
  /** What the stage needs to know of the node that the pod is on. */
  contextOf(node: string, pod: Pod): Omit<StageContext, 'nowMs'>;
  /** Whether the pod is still there; a stage of one that has gone is not tried again. */
  isKnown(uid: string): boolean;
  log: Logger;
}

interface Waiting {
  node: string;
  pod: Pod;
  stage: Stage;
}

/**
 * Plays the stages of all pods of all simulated nodes from one delay queue. Holds a pod only while a stage of it is to
 * come; the change that a stage makes comes back through the inbox and brings on the next.
 */
export class StageEngine {
  private readonly deps: StageEngineDeps;
  private readonly queue: DelayQueue<Waiting>;
  private closed = false;

  constructor(deps: StageEngineDeps) {
    this.deps = deps;
    this.queue = new DelayQueue(deps.clock, (uid, waiting) => void this.play(uid, waiting));
  }

  /** Pods that a stage is to come for. */
  get waiting(): number {
    return this.queue.size;
  }

  /** The pod is new or has changed. A stage that still applies goes on waiting from when it began. */
  see(node: string, pod: Pod, before?: string): void {
    const { uid } = pod.metadata;
    const stage = nextStage(pod);
    if (!stage) {
      this.queue.delete(uid);
      return;
    }
    if (before === stage.name) return;
    this.queue.set(uid, stage.delay(pod, this.deps.delays), { node, pod, stage });
  }

  forget(uid: string): void {
    this.queue.delete(uid);
  }

  close(): void {
    this.closed = true;
    this.queue.clear();
  }

  private async play(uid: string, waiting: Waiting): Promise<void> {
    const { node, pod, stage } = waiting;
    const { commands, clock, log } = this.deps;
    const { name, namespace, resourceVersion = '' } = pod.metadata;
    const effect = stage.effect(pod, { nowMs: clock.nowMs(), ...this.deps.contextOf(node, pod) });
    const target = { kind: podKind as unknown as Kind, namespace, name, ifUid: uid };
    const cause = { key: `core/pods/${namespace}/${name}`, resourceVersion, reconciler: `node-agent/${stage.name}` };
    try {
      if (effect === 'remove') {
        await commands.send({ verb: 'delete', ...target, gracePeriodSeconds: 0 }, cause);
        return;
      }
      const patch = { status: effect.status as unknown as JsonObject };
      await commands.send({ verb: 'patch', type: 'strategic', ...target, subresource: 'status', patch }, cause);
    } catch (error) {
      // Gone. A conflict may come of anybody's write to the pod: a namesake's node hears of the change by itself.
      if (this.closed || isNotFound(error)) return;
      log.warn({ namespace, pod: name, stage: stage.name, error: String(error) }, 'a stage failed');
      if (this.deps.isKnown(uid)) this.queue.set(uid, RETRY_MS, waiting);
    }
  }
}
