import { type Job, job, pod } from '@periplus/api';
import { controllerOf, StatusError } from '@periplus/apimachinery';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Simulation } from '../simulation.ts';
import { jobController } from './job-controller.ts';
import { TRACKING } from './job-pod.ts';
import { jobPodReleaseController } from './job-pod-release-controller.ts';
import { JobSimulation, jobOf } from './job-simulation.ts';

type Rule = NonNullable<Job['spec']['podFailurePolicy']>['rules'][number];

const REACHED = 'CompletionsReached: Reached expected number of succeeded pods';
let sim: JobSimulation;
beforeEach(() => {
  sim = new JobSimulation();
});
const planned = () => jobController.reconcile({ namespace: 'd', name: 'sum' }, sim.cluster.view());

describe('a Job', () => {
  it('runs a pod that it keeps until it has counted it, and is complete when that succeeded', () => {
    sim.ask({});
    sim.rest();
    const [only] = sim.pods();
    expect(only).toMatchObject({
      metadata: { generateName: 'sum-', labels: { job: 'sum' }, finalizers: [TRACKING] },
      spec: { restartPolicy: 'Never' },
    });
    expect(controllerOf(only!)).toMatchObject({ apiVersion: 'batch/v1', kind: 'Job', name: 'sum' });
    expect(sim.status).toEqual({ startTime: '2026-01-01T00:00:00Z', active: 1, ready: 0, terminating: 0 });

    sim.advance(5_000);
    sim.end(only!, 0);
    sim.look();
    expect(sim.status).toMatchObject({ uncountedTerminatedPods: { succeeded: [only!.metadata.uid] } });
    expect(sim.status.succeeded).toBeUndefined();
    expect(sim.pods()[0]!.metadata.finalizers ?? []).toEqual([]);
    expect(sim.conditions()).toEqual([`SuccessCriteriaMet=True ${REACHED}`]);
    sim.rest();
    expect(sim.status).toMatchObject({
      ...{ succeeded: 1, ready: 0, terminating: 0, uncountedTerminatedPods: {} },
      completionTime: '2026-01-01T00:00:05Z',
    });
    expect(sim.status).not.toHaveProperty('active');
    expect(sim.conditions()).toEqual([`SuccessCriteriaMet=True ${REACHED}`, `Complete=True ${REACHED}`]);
    expect(sim.events).toEqual([`SuccessfulCreate Created pod: ${only!.metadata.name}`, 'Completed Job completed']);
    expect(planned().steps).toEqual([]);
  });

  it('has as many pods as it may at once, and never more than are still to succeed', () => {
    sim.ask({ completions: 5, parallelism: 2 });
    sim.rest();
    for (const [left, running] of [
      [5, 2],
      [3, 2],
      [1, 1],
    ]) {
      expect(sim.running()).toHaveLength(running!);
      expect((sim.status.succeeded ?? 0) + left!).toBe(5);
      sim.endAll(0);
      sim.rest();
    }
    expect(sim.status.succeeded).toBe(5);
    expect(sim.conditions()).toContain(`Complete=True ${REACHED}`);
  });

  it('creates slowly at first', () => {
    sim.ask({ completions: 10, parallelism: 7 });
    expect(planned().steps.map((step) => step.length)).toEqual([1, 2, 4]);
  });

  it('deletes pods of which it has too many, uncounted', () => {
    sim.ask({ completions: 5, parallelism: 3 });
    sim.rest();
    sim.ask({ completions: 5, parallelism: 1 });
    sim.rest();
    expect(sim.pods()).toHaveLength(1);
    expect(sim.status).toMatchObject({ active: 1 });
    expect(sim.status.failed).toBeUndefined();
    expect(sim.events.filter((event) => event.startsWith('SuccessfulDelete Deleted pod: sum-'))).toHaveLength(2);
  });

  it('without a number of completions waits for the others once one has succeeded', () => {
    sim.ask({ completions: undefined, parallelism: 3 });
    sim.rest();
    sim.end(sim.running()[0]!, 0);
    sim.rest();
    expect([sim.running().length, sim.status.succeeded]).toEqual([2, 1]);
    sim.end(sim.running()[0]!, 1);
    sim.rest();
    expect(sim.running()).toHaveLength(1);
    sim.endAll(0);
    sim.rest();
    expect(sim.status).toMatchObject({ succeeded: 2, failed: 1 });
    expect(sim.conditions()).toContain(`Complete=True ${REACHED}`);
  });

  it('with nothing to complete is complete at once', () => {
    sim.ask({ completions: 0 });
    sim.rest();
    expect(sim.pods()).toEqual([]);
    expect(sim.conditions()).toContain(`Complete=True ${REACHED}`);
  });

  it('shows what refuses its pods, and still counts those that ended', () => {
    sim.ask({ completions: 3, parallelism: 2 });
    sim.rest();
    sim.end(sim.running()[0]!, 0);
    const apply = sim.cluster.apply.bind(sim.cluster);
    sim.cluster.apply = (command) => {
      if (command.verb === 'create') throw new StatusError('Forbidden', 'pods is forbidden: exceeded quota');
      return apply(command);
    };
    const plan = planned();
    expect(plan.events).toContainEqual(
      expect.objectContaining({ type: 'Warning', reason: 'FailedCreate', message: 'Error creating' }),
    );
    sim.look();
    sim.look();
    expect(sim.status).toMatchObject({ active: 1, succeeded: 1 });
    sim.cluster.apply = apply;
    sim.rest();
    expect(sim.status).toMatchObject({ active: 2, succeeded: 1 });
  });

  it('leaves a Job to the controller that it names', () => {
    sim.ask({ managedBy: 'example.com/queue' });
    expect(planned().steps).toEqual([]);
    sim.cluster.remove(job, 'd', 'sum');
    sim.ask({ managedBy: 'kubernetes.io/job-controller' });
    expect(planned().steps).toHaveLength(1);
  });

  it('adopts pods with a finalizer, and takes that from those it lets go', () => {
    sim.ask({ completions: 2, parallelism: 2 });
    const labels = { job: 'sum' };
    sim.cluster.put(pod, {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'd', name: 'loose', labels } },
      spec: { containers: [] },
    } as never);
    sim.rest();
    const loose = sim.cluster.view().get(pod, 'd', 'loose')!;
    expect(loose.metadata).toMatchObject({ finalizers: [TRACKING], ownerReferences: [{ name: 'sum' }] });
    expect(sim.pods()).toHaveLength(2);
    sim.cluster.put(pod, { ...loose, metadata: { ...loose.metadata, labels: { job: 'other' } } } as never);
    sim.rest();
    const { finalizers, ownerReferences } = sim.cluster.view().get(pod, 'd', 'loose')!.metadata;
    expect([finalizers ?? [], ownerReferences]).toEqual([[], undefined]);
  });
});

describe('failing pods', () => {
  it('are replaced after ten seconds, then twenty, forty and so on up to ten minutes, also by a new controller', () => {
    sim.ask({ backoffLimit: 9 });
    for (const seconds of [10, 20, 40, 80, 160, 320, 600, 600]) {
      sim.rest();
      expect(sim.running()).toHaveLength(1);
      sim.endAll(1);
      sim.rest();
      expect(sim.running()).toHaveLength(0);
      expect(planned().lookAgainMs).toBe(seconds * 1000);
      sim.advance(seconds * 1000 - 1);
      expect(planned().steps).toEqual([]);
      sim.advance(1);
    }
    expect(sim.status.failed).toBe(8);
  });

  it('do not put off new pods once one has succeeded after them', () => {
    sim.ask({ completions: 3, parallelism: 2 });
    sim.rest();
    sim.end(sim.running()[0]!, 1);
    sim.advance(1_000);
    sim.endAll(0);
    sim.rest();
    expect(sim.running()).toHaveLength(2);
  });

  it('fail the Job when there are more than the limit allows, and with it the pods that still run', () => {
    sim.ask({ completions: 4, parallelism: 2, backoffLimit: 0 });
    sim.rest();
    const [first, second] = sim.running();
    sim.cluster.put(pod, { ...second, spec: { ...second!.spec, nodeName: 'n' } } as never);
    sim.end(first!, 1);
    sim.rest();
    const why = 'BackoffLimitExceeded: Job has reached the specified backoff limit';
    expect(sim.conditions()).toEqual([`FailureTarget=True ${why}`]);
    expect(sim.status).toMatchObject({ failed: 2, terminating: 1 });
    expect(sim.status.active).toBeUndefined();
    sim.reap();
    sim.rest();
    expect(sim.status).toMatchObject({ failed: 2, terminating: 0, uncountedTerminatedPods: {} });
    expect(sim.conditions()).toEqual([`FailureTarget=True ${why}`, `Failed=True ${why}`]);
    expect(sim.events.at(-1)).toBe('BackoffLimitExceeded Job has reached the specified backoff limit');
    expect(sim.status).not.toHaveProperty('completionTime');
  });

  it('count by the restarts of their containers where those restart in place', () => {
    const template = { spec: { restartPolicy: 'OnFailure' as const, containers: [{ name: 'main', image: 'i' }] } };
    sim.ask({ backoffLimit: 2, template: { ...template, metadata: { labels: { job: 'sum' } } } });
    sim.rest();
    const [only] = sim.running();
    for (const [restartCount, failing] of [
      [1, false],
      [2, true],
    ] as const) {
      const status = { phase: 'Running', containerStatuses: [{ name: 'main', restartCount }] };
      sim.cluster.put(pod, { ...only, status } as never);
      sim.rest();
      expect(sim.conditions().some((condition) => condition.startsWith('FailureTarget'))).toBe(failing);
    }
  });

  it('that were deleted count, and are replaced at once, or only once they are gone', () => {
    for (const policy of ['TerminatingOrFailed', 'Failed'] as const) {
      sim = new JobSimulation();
      sim.ask({ podReplacementPolicy: policy });
      sim.rest();
      const [first] = sim.running();
      sim.cluster.put(pod, { ...first, spec: { ...first!.spec, nodeName: 'n' } } as never);
      sim.evict(first!);
      sim.rest();
      sim.advance(10_000);
      sim.rest();
      expect(sim.running()).toHaveLength(policy === 'Failed' ? 0 : 1);
      expect(sim.status.failed).toBe(policy === 'Failed' ? undefined : 1);
      expect(sim.status.terminating).toBe(1);
      sim.reap();
      sim.advance(600_000);
      sim.rest();
      expect(sim.running()).toHaveLength(1);
      expect(sim.status).toMatchObject({ failed: 1, terminating: 0 });
    }
  });

  it('fail the Job when its time is up', () => {
    sim.ask({ activeDeadlineSeconds: 30 });
    sim.rest();
    expect(planned().lookAgainMs).toBe(30_000);
    sim.advance(30_000);
    sim.rest();
    const why = 'DeadlineExceeded: Job was active longer than specified deadline';
    expect(sim.conditions()).toEqual([`FailureTarget=True ${why}`, `Failed=True ${why}`]);
    expect(sim.status.failed).toBe(1);
    expect(sim.pods()).toEqual([]);
  });
});

describe('a pod failure policy', () => {
  const policy = (...rules: Rule[]) => ({ podFailurePolicy: { rules } });
  const onExit = (
    action: Rule['action'],
    operator: 'In' | 'NotIn',
    values: number[],
    containerName?: string,
  ): Rule => ({
    action,
    onExitCodes: { operator, values, ...(containerName && { containerName }) },
  });

  it('fails the Job by an exit code', () => {
    sim.ask({ ...policy(onExit('Ignore', 'In', [1]), onExit('FailJob', 'In', [42])), completions: 2, parallelism: 2 });
    sim.rest();
    const { name } = sim.running()[0]!.metadata;
    sim.end(sim.running()[0]!, 42);
    sim.rest();
    const message = `Container main for pod d/${name} failed with exit code 42 matching FailJob rule at index 1`;
    expect(sim.conditions()).toEqual([
      `FailureTarget=True PodFailurePolicy: ${message}`,
      `Failed=True PodFailurePolicy: ${message}`,
    ]);
  });

  it('ignores, but still backs off', () => {
    sim.ask({ ...policy(onExit('Ignore', 'NotIn', [42])), backoffLimit: 0 });
    sim.rest();
    sim.endAll(1);
    sim.rest();
    expect(sim.status.failed).toBeUndefined();
    expect(sim.pods()[0]!.metadata.finalizers ?? []).toEqual([]);
    expect(planned().lookAgainMs).toBe(10_000);
    sim.advance(10_000);
    sim.rest();
    expect(sim.running()).toHaveLength(1);
  });

  it('looks at the container that it names, and at conditions', () => {
    const onPodConditions = [{ type: 'DisruptionTarget', status: 'True' as const }];
    sim.ask({
      ...policy(onExit('FailJob', 'In', [1], 'other'), { action: 'FailJob', onPodConditions }),
      backoffLimit: 3,
    });
    sim.rest();
    sim.endAll(1);
    sim.rest();
    expect(sim.conditions()).toEqual([]);
    sim.advance(10_000);
    sim.rest();
    const [second] = sim.running();
    sim.cluster.put(pod, { ...second, status: { phase: 'Failed', conditions: onPodConditions } } as never);
    sim.rest();
    const why = `Pod d/${second!.metadata.name} has condition DisruptionTarget matching FailJob rule at index 1`;
    expect(sim.conditions()).toContain(`Failed=True PodFailurePolicy: ${why}`);
  });
});

describe('an indexed Job', () => {
  const indexed = (spec: Partial<Job['spec']>) => ({ completionMode: 'Indexed', ...spec }) as const;

  it('tells each pod its index', () => {
    sim.ask(indexed({ completions: 3, parallelism: 3 }));
    sim.rest();
    const mark = { 'batch.kubernetes.io/job-completion-index': '2' };
    const third = sim.podOfIndex(2);
    expect(third).toMatchObject({
      metadata: { generateName: 'sum-2-', annotations: mark, labels: { job: 'sum', ...mark } },
      spec: {
        hostname: 'sum-2',
        containers: [
          {
            env: [
              {
                name: 'JOB_COMPLETION_INDEX',
                valueFrom: { fieldRef: { fieldPath: "metadata.labels['batch.kubernetes.io/job-completion-index']" } },
              },
            ],
          },
        ],
      },
    });
    expect(third.metadata.name).toMatch(/^sum-2-[a-z0-9]{5}$/);
    expect(third.metadata.annotations).not.toHaveProperty('batch.kubernetes.io/job-index-failure-count');
  });

  it('runs each index until it has succeeded once', () => {
    sim.ask(indexed({ completions: 4, parallelism: 4 }));
    sim.rest();
    for (const index of [0, 1, 3]) sim.end(sim.podOfIndex(index), 0);
    sim.end(sim.podOfIndex(2), 1);
    sim.advance(1);
    sim.rest();
    expect(sim.status).toMatchObject({ completedIndexes: '0,1,3', succeeded: 3, failed: 1 });
    sim.advance(10_000);
    sim.rest();
    expect(sim.running().map(({ spec }) => spec.hostname)).toEqual(['sum-2']);
    sim.endAll(0);
    sim.rest();
    expect(sim.status).toMatchObject({ completedIndexes: '0-3', succeeded: 4 });
    expect(sim.conditions()).toContain(`Complete=True ${REACHED}`);
  });

  it('keeps one pod of each index, and none of an index that it has not', () => {
    sim.ask(indexed({ completions: 3, parallelism: 3 }));
    sim.rest();
    const twin = sim.podOfIndex(0);
    sim.cluster.put(pod, { ...twin, metadata: { ...twin.metadata, name: 'twin', uid: 'twin' } } as never);
    sim.rest();
    expect(sim.running()).toHaveLength(3);
    sim.end(sim.podOfIndex(2), 0);
    sim.rest();
    expect(sim.status.completedIndexes).toBe('2');
    sim.ask(indexed({ completions: 2, parallelism: 2 }));
    sim.rest();
    expect(
      sim
        .running()
        .map(({ spec }) => spec.hostname)
        .sort(),
    ).toEqual(['sum-0', 'sum-1']);
    expect(sim.status.completedIndexes).toBeUndefined();
  });

  it('gives each index its own limit and its own backoff, and fails in the end when one failed', () => {
    sim.ask(indexed({ completions: 2, parallelism: 2, backoffLimit: 2 ** 31 - 1, backoffLimitPerIndex: 1 }));
    sim.rest();
    expect(sim.podOfIndex(0).metadata.annotations).toMatchObject({
      'batch.kubernetes.io/job-index-failure-count': '0',
    });
    sim.end(sim.podOfIndex(0), 1);
    sim.rest();
    expect(sim.status.failed).toBeUndefined();
    expect(sim.status.failedIndexes).toBe('');
    expect(planned().lookAgainMs).toBe(10_000);
    sim.advance(10_000);
    sim.rest();
    expect(sim.podOfIndex(0).metadata.annotations).toMatchObject({
      'batch.kubernetes.io/job-index-failure-count': '1',
    });
    expect(sim.status.failed).toBe(1);
    sim.end(sim.podOfIndex(0), 1);
    sim.rest();
    expect(sim.status).toMatchObject({ failed: 2, failedIndexes: '0' });
    sim.advance(60_000);
    sim.rest();
    expect(sim.running()).toHaveLength(1);
    sim.endAll(0);
    sim.rest();
    expect(sim.conditions()).toEqual([
      'FailureTarget=True FailedIndexes: Job has failed indexes',
      'Failed=True FailedIndexes: Job has failed indexes',
    ]);
    expect(sim.status).toMatchObject({ completedIndexes: '1', succeeded: 1 });
  });

  it('fails at once when too many indexes have', () => {
    const limits = { backoffLimit: 2 ** 31 - 1, backoffLimitPerIndex: 0, maxFailedIndexes: 1 };
    sim.ask(indexed({ completions: 5, parallelism: 3, ...limits }));
    sim.rest();
    sim.end(sim.podOfIndex(0), 1);
    sim.rest();
    expect(sim.conditions()).toEqual([]);
    expect(sim.running()).toHaveLength(3);
    sim.end(sim.podOfIndex(2), 1);
    sim.rest();
    expect(sim.conditions()).toContain(
      'Failed=True MaxFailedIndexesExceeded: Job has exceeded the specified maximal number of failed indexes',
    );
    expect(sim.status).toMatchObject({ failedIndexes: '0,2', failed: 4 });
  });

  it('gives an index up when its policy says so, and does not count what that ignores', () => {
    const rules: Rule[] = [
      { action: 'FailIndex', onExitCodes: { operator: 'In', values: [42] } },
      { action: 'Ignore', onExitCodes: { operator: 'In', values: [7] } },
    ];
    const limits = { backoffLimit: 2 ** 31 - 1, backoffLimitPerIndex: 1, podFailurePolicy: { rules } };
    sim.ask(indexed({ completions: 3, parallelism: 3, ...limits }));
    sim.rest();
    sim.end(sim.podOfIndex(0), 42);
    sim.end(sim.podOfIndex(1), 7);
    sim.rest();
    expect(sim.status.failedIndexes).toBe('0');
    sim.advance(10_000);
    sim.rest();
    expect(sim.podOfIndex(1).metadata.annotations).toMatchObject({
      'batch.kubernetes.io/job-index-failure-count': '0',
      'batch.kubernetes.io/job-index-ignored-failure-count': '1',
    });
    expect(sim.podOfIndex(0)).toBeUndefined();
    expect(sim.status.failed).toBe(1);
  });

  it.each([
    [{ succeededIndexes: '0,2' }, 'Matched rules at index 0'],
    [{ succeededIndexes: '1-3', succeededCount: 1 }, 'Matched rules at index 0'],
    [{ succeededCount: 2 }, 'Matched rules at index 0'],
    [{ succeededIndexes: '0-1' }, undefined],
    [{ succeededCount: 3 }, undefined],
  ])('succeeds early by its policy %o', (rule, message) => {
    sim.ask(indexed({ completions: 4, parallelism: 4, successPolicy: { rules: [rule] } }));
    sim.rest();
    sim.end(sim.podOfIndex(0), 0);
    sim.end(sim.podOfIndex(2), 0);
    sim.rest();
    if (message === undefined) {
      expect(sim.conditions()).toEqual([]);
      return;
    }
    expect(sim.conditions()).toEqual([
      `SuccessCriteriaMet=True SuccessPolicy: ${message}`,
      `Complete=True SuccessPolicy: ${message}`,
    ]);
    expect(sim.status).toMatchObject({ succeeded: 2, completedIndexes: '0,2' });
    expect(sim.status.failed).toBeUndefined();
    expect(sim.running()).toEqual([]);
  });
});

describe('a suspended Job', () => {
  it('has no pods, and all of its time again when it is resumed', () => {
    sim.ask({ completions: 2, parallelism: 2, activeDeadlineSeconds: 60 });
    sim.rest();
    sim.advance(50_000);
    sim.ask({ completions: 2, parallelism: 2, activeDeadlineSeconds: 60, suspend: true });
    sim.rest();
    expect(sim.pods()).toEqual([]);
    expect(sim.conditions()).toEqual(['Suspended=True JobSuspended: Job suspended']);
    expect(sim.status.failed).toBeUndefined();
    sim.advance(50_000);
    expect(planned()).toMatchObject({ steps: [] });
    sim.ask({ completions: 2, parallelism: 2, activeDeadlineSeconds: 60, suspend: false });
    sim.rest();
    expect(sim.conditions()).toEqual(['Suspended=False JobResumed: Job resumed']);
    expect(sim.status.startTime).toBe('2026-01-01T00:01:40Z');
    expect(sim.running()).toHaveLength(2);
    expect(planned().lookAgainMs).toBe(60_000);
    expect(sim.events.filter((event) => /^(Suspended|Resumed)/.test(event))).toEqual([
      'Suspended Job suspended',
      'Resumed Job resumed',
    ]);
  });

  it('that was never started has not begun', () => {
    sim.ask({ suspend: true });
    sim.rest();
    expect(sim.status).not.toHaveProperty('startTime');
    expect(sim.pods()).toEqual([]);
  });
});

describe('pods that no Job counts', () => {
  const forget = (): Simulation => {
    for (const { metadata } of sim.pods()) {
      sim.reconcile(jobPodReleaseController, { namespace: 'd', name: metadata.name! });
    }
    return sim;
  };
  const finalizers = () => sim.pods().flatMap(({ metadata }) => metadata.finalizers ?? []);

  it('lose their finalizer when the Job is gone', () => {
    sim.ask({ completions: 2, parallelism: 2 });
    sim.rest();
    forget();
    expect(finalizers()).toEqual([TRACKING, TRACKING]);
    const old = sim.job;
    sim.cluster.remove(job, 'd', 'sum');
    const [, jobs] = jobPodReleaseController.watches;
    expect(jobs!.keys(null, old, sim.cluster.view())).toHaveLength(2);
    forget();
    expect(finalizers()).toEqual([]);
  });

  it('lose it while the Job goes', () => {
    sim.ask({});
    sim.rest();
    sim.cluster.apply({ verb: 'delete', kind: job, namespace: 'd', name: 'sum', propagationPolicy: 'Foreground' });
    sim.rest();
    expect(finalizers()).toEqual([]);
    expect(sim.pods()).toHaveLength(1);
  });

  it('keep what is not of a Job', () => {
    sim.ask({});
    sim.rest();
    const [only] = sim.pods();
    const ownerReferences = [{ apiVersion: 'example.com/v1', kind: 'Job', name: 'x', uid: 'x', controller: true }];
    sim.cluster.put(pod, { ...only, metadata: { ...only!.metadata, ownerReferences } } as never);
    forget();
    expect(finalizers()).toEqual([TRACKING]);
  });

  it('do not wake anybody while their Job counts them', () => {
    const created = sim.cluster.put(job, jobOf());
    sim.rest();
    const [pods] = jobPodReleaseController.watches;
    expect(created.metadata.uid).toBeDefined();
    expect(pods!.keys(sim.pods()[0]!, null, sim.cluster.view())).toEqual([]);
  });
});
