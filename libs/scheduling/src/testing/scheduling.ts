/** A scheduler on a cluster in memory, whose network a test can spoil. */
import {
  type DeviceClass,
  deviceClass,
  type Kind,
  type Node,
  node,
  type Pod,
  pod as podKind,
  type ResourceClaim,
  type ResourceSlice,
  resourceClaim,
  resourceSlice,
} from '@periplus/api';
import type { Command, CommandClient, CommandOutcome, RecordedEvent } from '@periplus/client';
import { type Logger, Metrics } from '@periplus/component';
import { MemoryCluster } from '@periplus/reconcile';
import { schedulerMetrics } from '../metrics.ts';
import type { Profile } from '../profile.ts';
import { Scheduler } from '../scheduler.ts';

const nothing = (): void => undefined;
const log = { info: nothing, warn: nothing, error: nothing, debug: nothing } as unknown as Logger;

const KINDS = new Map(
  [node, podKind, resourceClaim, deviceClass, resourceSlice].map((kind) => [
    kind.kind as string,
    kind as unknown as Kind,
  ]),
);

export class SchedulingTest {
  readonly cluster: MemoryCluster;
  readonly events: RecordedEvent[] = [];
  readonly metrics = new Metrics();
  /** Takes the place of the api-server for a command; undefined leaves it to the cluster. */
  answer: (command: Command, signal?: AbortSignal) => Promise<CommandOutcome | undefined> | undefined = () => undefined;
  private readonly stopping = new AbortController();
  private ended: Promise<void> = Promise.resolve();

  constructor(cluster = new MemoryCluster()) {
    this.cluster = cluster;
  }

  start(profiles?: readonly Profile[]): void {
    const { cluster, events } = this;
    const commands: CommandClient = {
      underWay: 0,
      send: async (command, cause, signal) => {
        cluster.sent.push({ command, cause });
        return (await this.answer(command, signal)) ?? cluster.apply(command);
      },
      close: async () => undefined,
    };
    const metrics = schedulerMetrics(this.metrics);
    const scheduler = new Scheduler({
      cache: cluster,
      commands,
      events: { record: (event) => events.push(event) },
      metrics,
      log,
      ...(profiles && { profiles }),
    });
    this.ended = scheduler.run(this.stopping.signal);
  }

  /** Ends the leadership. Resolves when the scheduler has ended. */
  stop(): Promise<void> {
    this.stopping.abort();
    return this.ended;
  }

  put(...objects: (Node | Pod | ResourceClaim | DeviceClass | ResourceSlice)[]): void {
    for (const object of objects) this.cluster.put(KINDS.get(object.kind)!, object);
  }

  pod(name: string): Pod {
    return this.cluster.truth().get(podKind, 'default', name) as Pod;
  }

  nodeOf(...names: string[]): (string | undefined)[] {
    return names.map((name) => this.pod(name)?.spec.nodeName);
  }

  /** The commands for a subresource of pods, in order. */
  sent(subresource: 'binding' | 'status') {
    return this.cluster.sent.filter(({ command }) => command.subresource === subresource);
  }

  said(reason: string): string[] {
    return this.events.filter((event) => event.reason === reason).map(({ message }) => message);
  }
}
