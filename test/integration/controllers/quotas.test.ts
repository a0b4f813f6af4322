import {
  flowSchema,
  namespace,
  type PersistentVolumeClaim,
  persistentVolumeClaim,
  pod,
  type ResourceQuota,
  resourceQuota,
} from '@periplus/api';
import { openResourceClient } from '@periplus/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ControlPlane, eventually, runControllers, startControlPlane } from './control-plane.ts';

const NS = 'limited';
let plane: ControlPlane;
const stack = new AsyncDisposableStack();
beforeAll(async () => {
  plane = stack.use(await startControlPlane());
  stack.use(await runControllers(plane));
  await plane.create(namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NS }, spec: {} });
});
afterAll(() => stack.disposeAsync());

const status = () => (plane.get(resourceQuota, NS, 'quota') as ResourceQuota | undefined)?.status;

it('a quota is put into force, counts, and lets what is deleted go', async () => {
  const hard = { pods: '1', persistentvolumeclaims: '1' };
  await plane.create(resourceQuota, {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { namespace: NS, name: 'quota' },
    spec: { hard },
  });
  await eventually(() => expect(status()).toEqual({ hard, used: { pods: '0', persistentvolumeclaims: '0' } }));
  const metadata = { namespace: NS, name: 'p' };
  await eventually(() =>
    plane.create(pod, { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: 'c', image: 'x' }] } }),
  );
  const claim: PersistentVolumeClaim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { namespace: NS, name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  };
  await plane.create(persistentVolumeClaim, claim);
  await eventually(() => expect(status()?.used).toEqual({ pods: '1', persistentvolumeclaims: '1' }));
  await plane.admin.send({ verb: 'delete', kind: persistentVolumeClaim as never, namespace: NS, name: 'data' }, null);
  await eventually(() => expect(status()?.used).toEqual({ pods: '1', persistentvolumeclaims: '0' }));
  expect(plane.get(persistentVolumeClaim, NS, 'data')).toBeUndefined();
});

it('a quota that is applied together with what it counts counts it, and holds what comes after', async () => {
  const client = openResourceClient(await plane.connection('admin', 'system:masters'));
  stack.defer(() => client.close());
  const secret = (name: string) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name } });
  const quota = (secrets: string) => ({
    ...{ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'secrets' } },
    spec: { hard: { secrets } },
  });
  const apply = (...objects: object[]) => client.applyAll(objects, { namespace: 'together', fieldManager: 'test' });
  const used = () => (plane.get(resourceQuota, 'together', 'secrets') as ResourceQuota | undefined)?.status?.used;
  const namespaceOf = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'together' } };

  const made = await apply(quota('3'), secret('a'), secret('b'), namespaceOf);
  expect(made.map(({ kind }) => kind)).toEqual(['ResourceQuota', 'Secret', 'Secret', 'Namespace']);
  await eventually(() => expect(used()).toEqual({ secrets: '2' }));

  await expect(apply(quota('3'), secret('c'), secret('d'))).rejects.toMatchObject({
    reason: 'Forbidden',
    message: expect.stringMatching(/^objects\[[12]\]: secrets "[cd]" is forbidden: exceeded quota: secrets, /),
  });
  await eventually(() => expect(used()).toEqual({ secrets: '2' }));
  await apply(quota('3'), secret('c'));
  await eventually(() => expect(used()).toEqual({ secrets: '3' }));
  // A larger quota is in force when the controller says so, as for single writes.
  await expect(apply(quota('4'), secret('d'))).rejects.toMatchObject({ reason: 'Forbidden' });
  expect(plane.get(resourceQuota, 'together', 'secrets')?.spec?.hard).toEqual({ secrets: '3' });
});

it('says of flow schemas whether their level is there', async () => {
  await eventually(() => {
    const answers = plane.list(flowSchema).map(({ status }) => status?.conditions?.[0]);
    expect(answers.length).toBeGreaterThan(10);
    for (const answer of answers) expect(answer).toMatchObject({ type: 'Dangling', status: 'False', reason: 'Found' });
  });
});
