import { type Job, job as jobKind } from '@periplus/api';
import { StatusError } from '@periplus/apimachinery';
import type { Command } from '@periplus/client';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasEnded } from '../pod-state.ts';
import { IndexSet } from './index-set.ts';
import { jobController } from './job-controller.ts';
import { indexOf, isTerminating } from './job-pod.ts';
import { JobSimulation } from './job-simulation.ts';
import { isFinished } from './job-verdict.ts';

const action = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('look' as const) }) },
  // The controller dies after so many commands; what it had sent may arrive yet.
  { weight: 2, arbitrary: fc.record({ do: fc.constant('die' as const), commands: fc.nat(6) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('late' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('see' as const), revisions: fc.integer({ min: 1, max: 6 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('end' as const), at: fc.nat(5), exitCode: fc.constantFrom(0, 0, 1) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('evict' as const), at: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reap' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.constantFrom(1, 10, 700) }) },
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

const spec = fc
  .record({
    completions: fc.integer({ min: 1, max: 6 }),
    parallelism: fc.integer({ min: 1, max: 4 }),
    completionMode: fc.constantFrom('NonIndexed' as const, 'Indexed' as const),
    podReplacementPolicy: fc.constantFrom('Failed' as const, 'TerminatingOrFailed' as const),
    backoffLimit: fc.integer({ min: 0, max: 6 }),
    perIndex: fc.option(fc.nat(2), { nil: undefined }),
  })
  .map(
    ({ perIndex, ...rest }): Partial<Job['spec']> =>
      rest.completionMode === 'Indexed' && perIndex !== undefined
        ? { ...rest, backoffLimit: 1_000, backoffLimitPerIndex: perIndex }
        : rest,
  );

/** A Job among kubelets, users and controllers that die. Checks at every write what must never be. */
class Ordeal {
  readonly sim = new JobSimulation();
  private readonly late: Command[] = [];
  /** Every pod that ever ended so. */
  readonly succeeded = new Set<string>();
  readonly failed = new Set<string>();
  private readonly wanted: Partial<Job['spec']>;
  private before = { succeeded: 0, failed: 0 };

  constructor(wanted: Partial<Job['spec']>) {
    this.wanted = wanted;
    const { cluster } = this.sim;
    const apply = cluster.apply.bind(cluster);
    cluster.apply = (command) => {
      const outcome = apply(command);
      this.check();
      return outcome;
    };
    this.sim.ask(wanted);
    cluster.lagging = true;
  }

  act(what: Action): void {
    const { sim } = this;
    const running = sim.pods().filter((one) => !hasEnded(one));
    if (what.do === 'look') this.look(Number.POSITIVE_INFINITY);
    else if (what.do === 'die') this.look(what.commands);
    else if (what.do === 'see') sim.cluster.deliver(what.revisions);
    else if (what.do === 'wait') sim.advance(what.seconds * 1000);
    else if (what.do === 'reap') sim.reap();
    else if (what.do === 'late') this.arrive();
    else if (what.do === 'evict' && running[what.at]) sim.evict(running[what.at]!);
    else if (what.do === 'end' && running[what.at]) sim.end(running[what.at]!, what.exitCode);
  }

  /** A look by a controller that sees all that it has written before, and dies after `commandsMax`. */
  private look(commandsMax: number): void {
    const { cluster } = this.sim;
    const { steps } = jobController.reconcile({ namespace: 'd', name: 'sum' }, cluster.view());
    let left = commandsMax;
    for (const step of steps) {
      let refused = false;
      for (const command of step) {
        if (left-- > 0) refused = !this.send(command) || refused;
        // A create that comes late is of a controller that its lease no longer covers.
        else if (command.verb !== 'create') this.late.push(command);
      }
      if (refused || left < 0) break;
    }
    cluster.deliver();
  }

  private send(command: Command): boolean {
    if (command.verb === 'create') this.checkCreation(command);
    try {
      this.sim.cluster.apply(command);
      return true;
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      return false;
    }
  }

  private arrive(): void {
    for (const command of this.late.splice(0)) this.send(command);
  }

  /** No pod for an index that is decided. */
  private checkCreation(command: Command & { verb: 'create' }): void {
    const { status, spec: asked } = this.sim.job;
    const index = indexOf(command.object as never, this.sim.job);
    if (index === undefined) return;
    for (const text of [status?.completedIndexes, status?.failedIndexes]) {
      expect(IndexSet.parse(text, asked.completions!).has(index)).toBe(false);
    }
  }

  private check(): void {
    const pods = this.sim.pods();
    for (const one of pods) {
      const uid = one.metadata.uid!;
      if (one.status?.phase === 'Succeeded') this.succeeded.add(uid);
      if (one.status?.phase === 'Failed' || one.metadata.deletionTimestamp) this.failed.add(uid);
    }
    const { status = {} } = this.sim.job;
    const { succeeded = 0, failed = 0, uncountedTerminatedPods: open } = status;
    // Never twice, never what was not, and never taken back.
    expect(succeeded + (open?.succeeded?.length ?? 0)).toBeLessThanOrEqual(this.succeeded.size);
    expect(failed + (open?.failed?.length ?? 0)).toBeLessThanOrEqual(this.failed.size);
    expect(succeeded).toBeGreaterThanOrEqual(this.before.succeeded);
    expect(failed).toBeGreaterThanOrEqual(this.before.failed);
    this.before = { succeeded, failed };

    const active = this.sim.running();
    expect(active.length).toBeLessThanOrEqual(this.wanted.parallelism!);
    const held = this.wanted.podReplacementPolicy === 'Failed' ? [...active, ...pods.filter(isTerminating)] : active;
    expect(held.length).toBeLessThanOrEqual(this.wanted.parallelism!);
    const indexes = held.map((one) => indexOf(one, this.sim.job)).filter((index) => index !== undefined);
    expect(new Set(indexes).size).toBe(indexes.length);
    if (this.wanted.completionMode === 'Indexed') {
      expect(IndexSet.parse(status.completedIndexes, this.wanted.completions!).size).toBe(succeeded);
    }
  }

  /** Everything works from now on, and pods succeed. */
  finish(): void {
    this.sim.cluster.lagging = false;
    this.sim.cluster.deliver();
    this.arrive();
    for (let round = 0; round < 40 && !isFinished(this.sim.job); round++) {
      this.sim.rest();
      this.sim.endAll(0);
      this.sim.reap();
      this.sim.advance(700_000);
    }
  }
}

describe('whatever happens to pods, caches and controllers, a Job', () => {
  it('counts each pod once, has no more pods than it may, completes no index twice, and ends', () => {
    fc.assert(
      fc.property(spec, fc.array(action, { maxLength: 80 }), (wanted, actions) => {
        const ordeal = new Ordeal(wanted);
        for (const each of actions) ordeal.act(each);
        ordeal.finish();
        const { job } = ordeal.sim;
        expect(isFinished(job)).toBe(true);
        expect(job.status?.terminating).toBe(0);
        expect(job.status?.uncountedTerminatedPods ?? {}).toEqual({});
        expect(ordeal.sim.running()).toEqual([]);
        expect(ordeal.sim.pods().flatMap(({ metadata }) => metadata.finalizers ?? [])).toEqual([]);
        const isComplete = job.status?.conditions?.some(({ type }) => type === 'Complete');
        if (isComplete) expect(job.status?.succeeded).toBe(wanted.completions);
        if (wanted.completionMode === 'NonIndexed') expect(job.status?.succeeded ?? 0).toBe(ordeal.succeeded.size);
      }),
      { numRuns: 100 },
    );
  }, 60_000);

  it('ends as it was last asked to, however it is scaled and suspended on the way', () => {
    const change = fc.record({
      parallelism: fc.integer({ min: 0, max: 4 }),
      suspend: fc.boolean(),
      turns: fc.nat(3),
      ends: fc.array(fc.constantFrom(0, 1), { maxLength: 2 }),
    });
    const base = { completions: 5, backoffLimit: 1_000 };
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), fc.boolean(), (changes, isIndexed) => {
        const sim = new JobSimulation();
        const completionMode = isIndexed ? ('Indexed' as const) : ('NonIndexed' as const);
        sim.ask({ ...base, completionMode, parallelism: 2 });
        for (const { parallelism, suspend, turns, ends } of changes) {
          sim.ask({ ...base, completionMode, parallelism, suspend });
          for (let turn = 0; turn < turns; turn++) sim.look();
          for (const exitCode of ends) if (sim.running()[0]) sim.end(sim.running()[0]!, exitCode);
          sim.advance(5_000);
        }
        sim.ask({ ...base, completionMode, parallelism: 3, suspend: false });
        for (let round = 0; round < 40 && !isFinished(sim.job); round++) {
          sim.rest();
          sim.endAll(0);
          sim.advance(700_000);
        }
        sim.rest();
        expect(sim.status.succeeded).toBeGreaterThanOrEqual(5);
        expect(sim.conditions().filter((condition) => condition.startsWith('Complete=True'))).toHaveLength(1);
        expect(sim.cluster.truth().list(jobKind)).toHaveLength(1);
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});
