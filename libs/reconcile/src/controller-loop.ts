import type { Command, CommandCause, CommandClient } from '@periplus/client';
import type { Logger } from '@periplus/component';
import { CAUSE_RANK, ChangeRouting } from './change-routing.ts';
import type { Clock } from './clock.ts';
import type { ControllerMetrics, ReconcileResult } from './metrics.ts';
import { type Execution, executePlan, isStale, noExecution, sendAll, sendWith } from './plan-execution.ts';
import type { ClusterSource, Controller, ObjectRef, Plan, PlannedEvent } from './types.ts';
import { WorkQueue } from './work-queue.ts';

/** Keys of one controller whose commands may be under way at once. */
const CONCURRENT_KEYS_MAX = 64;
/** How long reconcilers may run before the event loop gets a turn: leases and watches live there too. */
const SLICE_MS_MAX = 10;

export interface LoopDeps {
  /** "controller-manager". */
  component: string;
  cluster: ClusterSource;
  commands: CommandClient;
  clock: Clock;
  log: Logger;
  metrics(controller: string): ControllerMetrics;
  record(event: PlannedEvent & { component: string; cause: CommandCause | null }): void;
}

/** What has to be settled before a key may be looked at again. */
interface Unsettled {
  commands: Command[];
  cause: CommandCause | null;
  /** The revision of this key's own writes. */
  revision: number;
  /** The view was old: everything up to now has to be in. */
  stale: boolean;
}

const keyOf = ({ namespace, name }: ObjectRef): string => `${namespace}/${name}`;
const refOfKey = (key: string): ObjectRef => {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
};

/**
 * Runs one controller: keys in, plans out. A key is looked at again only in a view that holds all that this
 * controller wrote for it. Where that is not known, because an answer was lost, the same commands are sent again
 * until it is: they are idempotent, so nothing is done twice.
 */
export class ControllerLoop {
  readonly routing: ChangeRouting;
  private readonly controller: Controller;
  private readonly deps: LoopDeps;
  private readonly log: Logger;
  private readonly metrics: ControllerMetrics;
  private readonly queue: WorkQueue<CommandCause>;
  private readonly unsettled = new Map<string, Unsettled>();
  private readonly stopping = new AbortController();
  private pumping = false;
  private running = 0;
  private idle: (() => void) | null = null;

  constructor(controller: Controller, deps: LoopDeps) {
    this.controller = controller;
    this.deps = deps;
    this.log = deps.log.child({ controller: controller.name });
    this.metrics = deps.metrics(controller.name);
    this.routing = new ChangeRouting(controller, `${deps.component}/${controller.name}`);
    this.queue = new WorkQueue(deps.clock, () => this.pumpSoon());
    this.metrics.observeDepth(() => this.queue.depth);
  }

  wake(ref: ObjectRef, cause: CommandCause | null, rank: number): void {
    this.queue.add(keyOf(ref), cause, rank);
  }

  /** The node's liveness key came or went at `resourceVersion`. */
  wakeForLiveness(node: string, resourceVersion: string): void {
    if (!this.controller.watchesLiveness) return;
    const reconciler = `${this.deps.component}/${this.controller.name}`;
    this.wake(
      { namespace: '', name: node },
      { key: `liveness/${node}`, resourceVersion, reconciler },
      CAUSE_RANK.intent,
    );
  }

  /** No key in line or being processed; delayed ones may be left. */
  get quiet(): boolean {
    return this.queue.depth === 0 && this.running === 0;
  }

  /** Starts nothing more, gives up what waits, and resolves when nothing runs. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.queue.clear();
    if (this.running > 0) {
      await new Promise<void>((resolve) => {
        this.idle = resolve;
      });
    }
  }

  private pumpSoon(): void {
    if (this.pumping || this.stopping.signal.aborted) return;
    this.pumping = true;
    setImmediate(() => this.pump());
  }

  private pump(): void {
    this.pumping = false;
    const endMs = performance.now() + SLICE_MS_MAX;
    while (this.running < CONCURRENT_KEYS_MAX && !this.stopping.signal.aborted) {
      const taken = this.queue.take();
      if (!taken) return;
      this.metrics.taken(taken.waitedMs);
      this.running += 1;
      void this.process(taken.key, taken.cause);
      if (performance.now() > endMs) {
        this.pumpSoon();
        return;
      }
    }
  }

  private async process(key: string, cause: CommandCause | null): Promise<void> {
    const startedMs = performance.now();
    let result: ReconcileResult;
    try {
      result = await this.run(key, cause);
    } catch (error) {
      result = 'error';
      if (!this.stopping.signal.aborted) this.retry(key, cause, error, 'a reconcile failed');
    }
    this.running -= 1;
    const { restMs } = this.controller;
    if (restMs > 0) this.deps.clock.after(restMs, () => this.queue.done(key));
    else this.queue.done(key);
    this.metrics.finished(result, performance.now() - startedMs);
    if (this.running === 0) this.idle?.();
    if (this.queue.depth > 0) this.pumpSoon();
  }

  private async run(key: string, cause: CommandCause | null): Promise<ReconcileResult> {
    const unsettled = this.unsettled.get(key);
    if (unsettled && !(await this.settle(key, unsettled))) return 'unknown';
    if (this.stopping.signal.aborted) return 'stopped';
    const { cluster, clock } = this.deps;
    const plan = this.controller.reconcile(refOfKey(key), cluster.view(clock.nowMs()));
    const execution = plan.steps.length === 0 ? noExecution() : await this.execute(plan, cause);
    if (this.stopping.signal.aborted) return 'stopped';
    this.recordEvents(plan, execution, cause);
    return this.conclude(key, cause, plan, execution);
  }

  private execute(plan: Plan, cause: CommandCause | null): Promise<Execution> {
    this.metrics.sent(plan.steps.reduce((sum, step) => sum + step.length, 0));
    return executePlan(plan, sendWith(this.deps.commands, cause, this.stopping.signal));
  }

  /** What follows from how the plan went: another look now, later or when something changes. */
  private async conclude(
    key: string,
    cause: CommandCause | null,
    plan: Plan,
    { refused, unknown, revision, stale }: Execution,
  ): Promise<ReconcileResult> {
    if (unknown.length + refused.length + revision > 0 || stale) {
      this.unsettled.set(key, { commands: unknown, cause, revision, stale });
    }
    if (unknown.length > 0) {
      this.retry(key, cause, null, 'commands of unknown outcome will be sent again');
      return 'unknown';
    }
    if (refused.length > 0 || stale) {
      const reason = refused.find(({ error }) => !isStale(error))?.error;
      this.retry(key, cause, reason, 'commands were refused');
      return 'refused';
    }
    if (revision > 0) {
      // The barrier: this key is not done, so not looked at again, before the cache holds its writes.
      await this.deps.cluster.waitFor(revision, this.stopping.signal);
      this.unsettled.delete(key);
    }
    this.queue.forget(key);
    if (plan.lookAgainMs !== undefined) this.queue.addAfter(key, plan.lookAgainMs, cause);
    return 'done';
  }

  /** Makes known what is not, and waits until the cache holds it. False: not yet, the key is back in the queue. */
  private async settle(key: string, unsettled: Unsettled): Promise<boolean> {
    const { cluster, commands } = this.deps;
    const { signal } = this.stopping;
    if (unsettled.commands.length > 0) {
      const execution = noExecution();
      await sendAll(unsettled.commands, sendWith(commands, unsettled.cause, signal), execution);
      unsettled.commands = execution.unknown;
      unsettled.revision = Math.max(unsettled.revision, execution.revision);
      // A refusal now, AlreadyExists say, may mean that the first attempt went through, at a revision unknown here.
      unsettled.stale ||= execution.refused.length > 0 || execution.stale;
    }
    if (unsettled.commands.length > 0) {
      this.retry(key, unsettled.cause, null, 'the outcome of commands is still unknown');
      return false;
    }
    const target = unsettled.stale ? Math.max(unsettled.revision, await cluster.current()) : unsettled.revision;
    await cluster.waitFor(target, signal);
    this.unsettled.delete(key);
    return true;
  }

  private retry(key: string, cause: CommandCause | null, error: unknown, message: string): void {
    this.metrics.retried();
    const againMs = this.queue.addRateLimited(key, cause);
    const fields = { object: key, againMs, failures: this.queue.failuresOf(key) };
    if (error) this.log.warn({ ...fields, error }, message);
    else this.log.debug(fields, message);
  }

  private recordEvents(plan: Plan, { done, refused, unknown }: Execution, cause: CommandCause | null): void {
    const origin = { component: this.controller.reportsAs, cause };
    for (const event of plan.events ?? []) {
      const { after, onRefusalOf } = event;
      if (onRefusalOf) {
        const refusal = refused.find(({ command }) => command === onRefusalOf);
        if (refusal) this.deps.record({ ...event, ...origin, message: `${event.message}: ${refusal.error.message}` });
      } else if (after ? done.includes(after) : refused.length + unknown.length === 0) {
        this.deps.record({ ...event, ...origin });
      }
    }
  }
}
