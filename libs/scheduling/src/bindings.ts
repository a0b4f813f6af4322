import { StatusError } from '@periplus/apimachinery';
import type { ClusterCache } from '@periplus/cache';
import type { Command, CommandClient } from '@periplus/client';
import type { Logger } from '@periplus/component';
import type { ClusterObserver } from './cluster-observer.ts';
import type { ClusterPicture } from './cluster-picture.ts';
import type { Decider } from './decide.ts';
import { type DeviceBinder, type DeviceWrites, decideDevices } from './devices/device-binder.ts';
import type { SchedulerMetrics } from './metrics.ts';
import type { Placement } from './pod-info.ts';
import type { PodShape } from './pod-shape.ts';
import type { Reports } from './reports.ts';
import type { SchedulingQueue, Waiting } from './scheduling-queue.ts';
import type { VolumeBinder } from './volumes/volume-binder.ts';

/** Bindings under way: the api-server commits them in groups, and more would only wait there. */
const BINDINGS_MAX = 512;
/** How long the end of the leadership waits for answers, so that the next leader finds these bindings in etcd. */
const FAREWELL_MS_MAX = 1_000;

/** Whether the api-server had no answer: it is no use to tell it so. */
const isAway = (error: unknown): boolean => error instanceof StatusError && error.code >= 500;

export interface BindingsDeps {
  picture: ClusterPicture;
  queue: SchedulingQueue;
  /** By the name under which pods ask for them. */
  deciders: ReadonlyMap<string, Decider>;
  observer: Pick<ClusterObserver, 'takeBack' | 'devicesFreed'>;
  cache: Pick<ClusterCache, 'current' | 'waitFor'>;
  commands: CommandClient;
  volumes: VolumeBinder;
  devices: DeviceBinder;
  reports: Reports;
  metrics: SchedulerMetrics;
  log: Logger;
  nowMs(): number;
}

/** Binds pods to the nodes that were chosen for them, many at a time. What fails is taken back and tried again. */
export class Bindings {
  private readonly deps: BindingsDeps;
  /** Ends what is being sent. */
  private readonly sending: AbortController;
  private readonly onDone: () => void;
  private underWay = 0;
  private onNone: (() => void) | undefined;

  /** `onDone`: there is room for more again. */
  constructor(deps: BindingsDeps, sending: AbortController, onDone: () => void) {
    this.deps = deps;
    this.sending = sending;
    this.onDone = onDone;
  }

  get isFull(): boolean {
    return this.underWay >= BINDINGS_MAX;
  }

  /** Assumes that the pods are where they are to go, and sends the one command that binds all of them. */
  async bind(waiting: Waiting, placements: readonly Placement[], command: Command, onBound: () => void): Promise<void> {
    const { commands, metrics, picture } = this.deps;
    for (const { pod, node } of placements) picture.assume(pod, node);
    this.underWay += placements.length;
    let plugin = 'Reserve plugin "DynamicResources"';
    let writes: DeviceWrites = [];
    try {
      writes = this.decideDevices(placements);
      plugin = 'PreBind plugin "VolumeBinding"';
      const claiming = placements.filter(({ pod }) => pod.shape.claims);
      if (claiming.length > 0) {
        await Promise.all(claiming.map(({ pod, node }) => this.bindVolumes(pod.shape, node, waiting.cause)));
      }
      if (writes.length > 0) {
        plugin = 'PreBind plugin "DynamicResources"';
        await this.bindDevices(waiting, placements, writes);
      }
      plugin = 'Bind plugin "DefaultBinder"';
      await commands.send(command, waiting.cause, this.sending.signal);
      onBound();
      for (const placement of placements) this.tell(waiting, placement);
    } catch (error) {
      metrics.attempts(placements[0]!.pod.shape.schedulerName).error.add();
      await this.failed(waiting, placements, command, { plugin, error, writes });
    }
    if (writes.length > 0) this.deps.devices.end(writes);
    this.underWay -= placements.length;
    if (this.underWay === 0) this.onNone?.();
    this.onDone();
  }

  /** Waits for what is under way, but not for long. Afterwards nothing is sent any more. */
  async end(): Promise<void> {
    const { sending } = this;
    if (this.underWay > 0) {
      const timer = setTimeout(() => sending.abort(), FAREWELL_MS_MAX);
      await new Promise<void>((resolve) => {
        this.onNone = resolve;
      });
      clearTimeout(timer);
    }
    sending.abort();
  }

  private tell({ cause, sinceMs }: Waiting, { pod: { pod }, node }: Placement): void {
    const { metrics, reports, nowMs } = this.deps;
    const { namespace, name } = pod.metadata;
    const schedulerName = pod.spec.schedulerName!;
    metrics.attempts(schedulerName).scheduled.add();
    metrics.schedulingSeconds.observe((nowMs() - sinceMs) / 1000);
    const message = `Successfully assigned ${namespace}/${name} to ${node}`;
    reports.record(pod.metadata, { schedulerName, cause }, 'Normal', 'Scheduled', message);
  }

  /** Devices may take minutes to become ready; those pods are not among the bindings under way. */
  private async bindDevices({ cause }: Waiting, placements: readonly Placement[], writes: DeviceWrites): Promise<void> {
    const { devices, deciders, reports } = this.deps;
    const { signal } = this.sending;
    await devices.bind(writes, cause, signal);
    if (!devices.hasToWait(writes)) return;
    for (const { pod, node } of placements) {
      const from = { schedulerName: pod.shape.schedulerName, cause };
      const message = `waiting for binding conditions for device on node ${node}`;
      reports.record(pod.pod.metadata, from, 'Normal', 'BindingConditionsPending', message);
    }
    const { readyMsMax } = deciders.get(placements[0]!.pod.shape.schedulerName)!.profile.deviceLimits;
    this.underWay -= placements.length;
    try {
      await devices.untilReady(writes, readyMsMax, signal);
    } finally {
      this.underWay += placements.length;
    }
  }

  private decideDevices(placements: readonly Placement[]): DeviceWrites {
    const { picture, deciders } = this.deps;
    const asking = placements.filter(
      ({ pod: { shape } }) => shape.devices && deciders.get(shape.schedulerName)!.profile.bindsDevices,
    );
    const limitsOf = (name: string) => deciders.get(name)!.profile.deviceLimits;
    return asking.length === 0 ? [] : decideDevices(asking, picture.table, limitsOf);
  }

  /**
   * Has the claims of a pod bound on its node. Not among the bindings under way: whoever makes a volume may take
   * minutes.
   */
  private async bindVolumes(shape: PodShape, node: string, cause: Waiting['cause']): Promise<void> {
    const { volumes, picture, deciders } = this.deps;
    const { table } = picture;
    const msMax = deciders.get(shape.schedulerName)!.profile.volumeBindingMsMax;
    if (msMax === null) return;
    const plan = volumes.assume(shape, table.nodes[table.slot(node)!]!);
    if (!plan) return;
    this.underWay -= 1;
    try {
      await volumes.bind(plan, { node, msMax }, cause, this.sending.signal);
    } finally {
      this.underWay += 1;
    }
  }

  /**
   * What the cache shows decides, once it has all that was committed before: the binding may have happened, to all of
   * the pods or none; they may be gone. Trying again is safe, as the api-server binds a pod once.
   */
  private async failed(
    waiting: Waiting,
    placements: readonly Placement[],
    { kind, namespace, name }: Command,
    { plugin, error, writes }: { plugin: string; error: unknown; writes: DeviceWrites },
  ): Promise<void> {
    const { picture, queue, observer, reports, log } = this.deps;
    const { signal } = this.sending;
    await this.catchUp();
    if (writes.length > 0) await this.giveBackDevices(waiting, placements, writes);
    if (signal.aborted) return;
    const open = placements.filter(({ pod }) => picture.assumed.delete(pod.uid));
    if (open.length === 0) return;
    log.warn({ error, kind: kind.kind, object: `${namespace}/${name}` }, 'binding failed');
    if (!isAway(error)) {
      const message = `running ${plugin}: ${(error as Error).message}`;
      const why = { reason: 'SchedulerError', message, nominated: null } as const;
      for (const { pod } of open) reports.notScheduled({ pod, cause: waiting.cause }, why);
    }
    queue.retry(waiting, this.deps.nowMs());
    for (const { pod, node } of open) observer.takeBack(pod, node);
  }

  /** Before anybody is tried again: who seems to have a claim still would not ask for it. */
  private async giveBackDevices(
    { cause }: Waiting,
    placements: readonly Placement[],
    writes: DeviceWrites,
  ): Promise<void> {
    const { devices, observer, picture, log } = this.deps;
    const { signal } = this.sending;
    if (signal.aborted) return;
    if (devices.withdraw(writes)) observer.devicesFreed(cause);
    const open = placements.map(({ pod }) => pod.uid).filter((uid) => picture.assumed.has(uid));
    try {
      await devices.giveBack(writes, new Set(open), cause, signal);
    } catch (error) {
      if (!signal.aborted) log.warn({ error }, 'the claims of a pod may still be reserved for it');
    }
    await this.catchUp();
  }

  /** Waits until the cache has all that was committed before. */
  private async catchUp(): Promise<void> {
    const { cache } = this.deps;
    try {
      await cache.waitFor(await cache.current(), this.sending.signal);
    } catch {
      // etcd is away: nothing can be bound meanwhile either, and the cache catches up when it is back.
    }
  }
}
