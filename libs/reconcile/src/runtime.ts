import { versionOfRevision } from '@periplus/apimachinery';
import type { Change, View } from '@periplus/cache';
import type { CommandCause, CommandClient } from '@periplus/client';
import type { Logger, Metrics } from '@periplus/component';
import { resourceOf } from './change-routing.ts';
import { type Clock, systemClock } from './clock.ts';
import { ControllerLoop } from './controller-loop.ts';
import { reconcileMetrics } from './metrics.ts';
import type { ClusterSource, Controller, PlannedEvent } from './types.ts';

export interface RuntimeDeps {
  /** Names the process in causes and events: "controller-manager". */
  component: string;
  controllers: readonly Controller[];
  cluster: ClusterSource;
  commands: CommandClient;
  log: Logger;
  metrics: Metrics;
  /** Where the events of plans go; must not block. */
  record(event: PlannedEvent & { component: string; cause: CommandCause | null }): void;
  clock?: Clock;
}

/** Runs controllers against a cache that is in sync, from `start` to `stop`, any number of times. */
export class ControllerRuntime {
  private readonly deps: RuntimeDeps;
  private readonly loops: () => ControllerLoop[];
  private running: ControllerLoop[] = [];
  /** Those that look at changes of a resource. */
  private followers = new Map<string, ControllerLoop[]>();
  private unsubscribe: (() => void)[] = [];

  constructor(deps: RuntimeDeps) {
    this.deps = deps;
    const metrics = reconcileMetrics(deps.metrics);
    const loopDeps = { ...deps, clock: deps.clock ?? systemClock, metrics };
    this.loops = () => deps.controllers.map((controller) => new ControllerLoop(controller, loopDeps));
  }

  /** Wakes every key once, then those that changes concern. */
  start(): void {
    const { cluster, clock = systemClock } = this.deps;
    this.running = this.loops();
    this.followers = new Map();
    this.unsubscribe = [
      cluster.subscribe((_revision, changes) => this.onChanges(changes)),
      cluster.subscribeLiveness((node, _alive, revision) => this.onLiveness(node, revision)),
    ];
    const view = cluster.view(clock.nowMs());
    for (const loop of this.running) {
      for (const resource of loop.routing.resources()) {
        const name = resourceOf(resource);
        this.followers.set(name, [...(this.followers.get(name) ?? []), loop]);
        for (const entry of view.entries(resource)) {
          this.dispatch(loop, name, { type: 'added', entry, previous: null }, view);
        }
      }
    }
  }

  /** Stops at once: nothing more is sent, waiting commands are given up. */
  async stop(): Promise<void> {
    for (const end of this.unsubscribe.splice(0)) end();
    await Promise.all(this.running.splice(0).map((loop) => loop.stop()));
  }

  /** Nothing in line or under way. For tests and readiness, not a promise about the next moment. */
  get quiet(): boolean {
    return this.running.every((loop) => loop.quiet);
  }

  /** What a rule makes of one object can't keep the others from being looked at. */
  private dispatch(loop: ControllerLoop, resource: string, change: Change, view: View): void {
    try {
      loop.routing.dispatch(resource, change, view, (ref, cause, rank) => loop.wake(ref, cause, rank));
    } catch (error) {
      this.deps.log.error({ object: change.entry.key, error }, 'a change could not be followed');
    }
  }

  private onLiveness(node: string, revision: number): void {
    for (const loop of this.running) loop.wakeForLiveness(node, versionOfRevision(revision));
  }

  private onChanges(changes: readonly Change[]): void {
    const { cluster, clock = systemClock } = this.deps;
    const view = cluster.view(clock.nowMs());
    for (const change of changes) {
      const resource = resourceOf(change.entry.key);
      for (const loop of this.followers.get(resource) ?? []) this.dispatch(loop, resource, change, view);
    }
  }
}

/** Runs until `signal`, for `lead`: resolves when nothing is under way any more. */
export async function runWhile(runtime: ControllerRuntime, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  runtime.start();
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  await runtime.stop();
}
