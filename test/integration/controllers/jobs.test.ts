import { type Job, job, type Kind, namespace, pod, replicationController } from '@periplus/api';
import { isConditionTrue } from '@periplus/apimachinery';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ControlPlane, eventually, runControllers, runKubelet, startControlPlane } from './control-plane.ts';

let plane: ControlPlane;
const running = new AsyncDisposableStack();
let ns: string;
let serial = 0;
beforeAll(async () => {
  plane = running.use(await startControlPlane());
  await plane.addNode('n1');
  running.use(await runControllers(plane));
  running.use(runKubelet(plane));
});
afterAll(() => running.disposeAsync());
beforeEach(async () => {
  ns = `jobs-${++serial}`;
  await plane.create(namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: ns }, spec: {} });
});

const template = {
  spec: { restartPolicy: 'Never' as const, containers: [{ name: 'main', image: 'example.com/sum' }] },
};
const create = (spec: Partial<Job['spec']>): Promise<void> =>
  plane.create(job, {
    ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: { namespace: ns, name: 'sum' } },
    spec: { template, ...spec },
  });
const status = () => plane.get(job, ns, 'sum')!.status!;
const conditions = () => (status().conditions ?? []).map(({ type, reason }) => `${type} ${reason}`);
const ready = () =>
  plane
    .list(pod, ns)
    .filter(({ status }) => status?.phase === 'Running' && isConditionTrue(status.conditions, 'Ready'));
const end = async (name: string, exitCode: number): Promise<void> => {
  const state = { terminated: { exitCode, finishedAt: `${new Date().toISOString().slice(0, 19)}Z` } };
  const containerStatuses = [
    { name: 'main', image: 'example.com/sum', imageID: '', ready: false, restartCount: 0, state },
  ];
  const patch = { status: { phase: exitCode === 0 ? 'Succeeded' : 'Failed', containerStatuses } };
  await plane.patch(pod, ns, name, patch, 'status');
};

describe('Jobs in a real api-server', () => {
  it('run indexed pods to completion, count each once, and take their pods with them', async () => {
    await create({ completions: 4, parallelism: 2, completionMode: 'Indexed' });
    for (let round = 0; round < 2; round++) {
      await eventually(() => expect(ready()).toHaveLength(2));
      expect(ready()[0]!.metadata.labels).toMatchObject({
        'batch.kubernetes.io/job-name': 'sum',
        'batch.kubernetes.io/controller-uid': plane.get(job, ns, 'sum')!.metadata.uid,
      });
      for (const { metadata } of ready()) await end(metadata.name!, 0);
    }
    await eventually(() => expect(conditions()).toContain('Complete CompletionsReached'));
    expect(status()).toMatchObject({ succeeded: 4, completedIndexes: '0-3', ready: 0, terminating: 0 });
    for (const { metadata } of plane.list(pod, ns)) expect(metadata).not.toHaveProperty('finalizers');
    await eventually(() => expect(plane.events()).toContain('Completed Job completed'));
    const target = { kind: job as unknown as Kind, namespace: ns, name: 'sum' };
    await plane.admin.send({ verb: 'delete', ...target, propagationPolicy: 'Background' }, null);
    await eventually(() => expect(plane.list(pod, ns)).toEqual([]));
  });

  it('fail with the first failure where there may be none, and end what still runs', async () => {
    await create({ completions: 2, parallelism: 2, backoffLimit: 0 });
    await eventually(() => expect(ready()).toHaveLength(2));
    await end(ready()[0]!.metadata.name!, 1);
    await eventually(() => expect(conditions()).toContain('Failed BackoffLimitExceeded'));
    expect(status()).toMatchObject({ failed: 2, terminating: 0, uncountedTerminatedPods: {} });
    await eventually(() => expect(ready()).toEqual([]));
  });

  it('pause and go on', async () => {
    await create({ completions: 2, parallelism: 2 });
    await eventually(() => expect(ready()).toHaveLength(2));
    await plane.patch(job, ns, 'sum', { spec: { suspend: true } });
    await eventually(() => expect(plane.list(pod, ns)).toEqual([]));
    await eventually(() => expect(conditions()).toEqual(['Suspended JobSuspended']));
    await plane.patch(job, ns, 'sum', { spec: { suspend: false } });
    await eventually(() => expect(ready()).toHaveLength(2));
    expect(conditions()).toEqual(['Suspended JobResumed']);
    expect(status().failed).toBeUndefined();
  });

  it('keep the pods of a ReplicationController', async () => {
    await plane.create(replicationController, {
      ...{ apiVersion: 'v1', kind: 'ReplicationController', metadata: { namespace: ns, name: 'old' } },
      spec: {
        replicas: 2,
        selector: { app: 'old' },
        template: { metadata: { labels: { app: 'old' } }, spec: { containers: template.spec.containers } },
      },
    });
    await eventually(() =>
      expect(plane.get(replicationController, ns, 'old')!.status).toMatchObject({
        ...{ replicas: 2, fullyLabeledReplicas: 2, readyReplicas: 2, availableReplicas: 2, observedGeneration: 1 },
      }),
    );
  });
});
