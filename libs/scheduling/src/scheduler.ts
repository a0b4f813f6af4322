import { setTimeout as pause } from 'node:timers/promises';
import type { ClusterCache } from '@periplus/cache';
import type { CommandClient, EventRecorder } from '@periplus/client';
import type { Logger } from '@periplus/component';
import { Bindings } from './bindings.ts';
import { ClusterObserver } from './cluster-observer.ts';
import { ClusterPicture } from './cluster-picture.ts';
import { Decider } from './decide.ts';
import { Deallocations } from './devices/deallocations.ts';
import { DeviceBinder } from './devices/device-binder.ts';
import { GangAttempts } from './gangs/gang-attempts.ts';
import { observeQueue, type SchedulerMetrics } from './metrics.ts';
import { PodAttempts } from './pod-attempts.ts';
import { Evictions } from './preemption/evictions.ts';
import { Preemptions } from './preemption/preemptions.ts';
import { Preemptor } from './preemption/preemptor.ts';
import { DEFAULT_PROFILE, type Profile } from './profile.ts';
import { Reports } from './reports.ts';
import { type Backoff, SchedulingQueue } from './scheduling-queue.ts';
import { VolumeBinder } from './volumes/volume-binder.ts';

/** Decisions in a row before others get their turn. */
const DECISIONS_PER_TURN = 128;
/** Between attempts to learn etcd's revision at the start. */
const RETRY_MS = 500;

export interface SchedulerDeps {
  /** Must keep what `SCHEDULER_RESOURCES` lists. Started. */
  cache: Pick<ClusterCache, 'view' | 'subscribe' | 'current' | 'waitFor'>;
  commands: CommandClient;
  events: Pick<EventRecorder, 'record'>;
  metrics: SchedulerMetrics;
  log: Logger;
  /** Pods that name none of them are somebody else's. */
  profiles?: readonly Profile[];
  /** Between attempts. */
  backoff?: Backoff;
  nowMs?: () => number;
}

/**
 * Gives every pending pod of its profiles a node: follows the cache, decides synchronously about one pod or gang after
 * the other, and sends bindings many at a time. Runs once: each leadership has a scheduler of its own.
 */
export class Scheduler {
  private readonly deps: SchedulerDeps;
  private readonly nowMs: () => number;
  private readonly picture = new ClusterPicture();
  private readonly queue: SchedulingQueue;
  private readonly observer: ClusterObserver;
  private readonly bindings: Bindings;
  private readonly evictions: Evictions;
  private readonly pods: PodAttempts;
  private readonly gangs: GangAttempts;
  private running = false;
  private turnIsDue = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(deps: SchedulerDeps) {
    this.deps = deps;
    this.nowMs = deps.nowMs ?? Date.now;
    this.queue = new SchedulingQueue(deps.backoff);
    const { picture, queue } = this;
    const sending = new AbortController();
    const profiles = deps.profiles ?? [DEFAULT_PROFILE];
    const deciders = new Map(profiles.map((profile) => [profile.schedulerName, new Decider(picture.table, profile)]));
    const basics = { ...deps, nowMs: this.nowMs, signal: sending.signal, picture, queue, deciders };
    const reports = new Reports(basics);
    const volumes = new VolumeBinder({ ...deps, catalog: picture.table.volumes });
    const devices = new DeviceBinder({ ...basics, catalog: picture.table.devices });
    this.observer = new ClusterObserver({ ...basics, volumes, devices });
    const wakeUp = (): void => this.wakeUp();
    this.bindings = new Bindings({ ...basics, volumes, devices, reports, observer: this.observer }, sending, wakeUp);
    this.evictions = new Evictions({ ...basics, placed: picture.placed, reports });
    const { bindings, evictions } = this;
    const preemptions = new Preemptions({ ...basics, evictions, reports }, wakeUp);
    const deallocations = new Deallocations(basics);
    const attempts = { ...basics, bindings, reports, preemptions, deallocations, preemptor: new Preemptor(picture) };
    this.pods = new PodAttempts(attempts);
    this.gangs = new GangAttempts(attempts);
  }

  /** Schedules until `signal` aborts; resolves when nothing is being sent any more. */
  async run(signal: AbortSignal): Promise<void> {
    if (!(await this.catchUp(signal))) return;
    const { observer, queue } = this;
    const { cache, metrics } = this.deps;
    observer.begin();
    const unsubscribe = cache.subscribe((_, changes) => {
      observer.apply(changes);
      this.wakeUp();
    });
    observeQueue(metrics, (state) => queue.count(state));
    this.running = true;
    this.wakeUp();
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    this.running = false;
    clearTimeout(this.timer);
    unsubscribe();
    observeQueue(metrics, () => 0);
    await this.bindings.end();
  }

  /** Waits until the cache shows what the leader before has done. False: there is no time left. */
  private async catchUp(signal: AbortSignal): Promise<boolean> {
    const { cache, log } = this.deps;
    while (!signal.aborted) {
      try {
        await cache.waitFor(await cache.current(), signal);
        return !signal.aborted;
      } catch (error) {
        if (signal.aborted) break;
        log.warn({ error }, 'etcd does not say its revision');
        await pause(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    return false;
  }

  private get isFull(): boolean {
    return this.bindings.isFull || this.evictions.isFull;
  }

  /** Goes on with the queue in a turn of its own, now or when its next pod is due. */
  private wakeUp(): void {
    clearTimeout(this.timer);
    if (!this.running || this.turnIsDue || this.isFull) return;
    const next = this.queue.nextMs();
    if (next === undefined) return;
    const delayMs = next - this.nowMs();
    if (delayMs > 0) {
      this.timer = setTimeout(() => this.wakeUp(), delayMs);
      return;
    }
    this.turnIsDue = true;
    setImmediate(() => this.turn());
  }

  private turn(): void {
    this.turnIsDue = false;
    if (!this.running) return;
    const { queue, picture, gangs, pods } = this;
    for (let decisions = 0; decisions < DECISIONS_PER_TURN && !this.isFull; decisions += 1) {
      const nowMs = this.nowMs();
      const waiting = queue.pop(nowMs);
      if (!waiting) break;
      picture.table.devices.nowMs = nowMs;
      const gang = picture.groups.gang(waiting.pod.uid);
      if (gang) gangs.schedule(waiting, gang);
      else pods.schedule(waiting);
    }
    this.wakeUp();
  }
}
