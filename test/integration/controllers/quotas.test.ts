import {
  namespace,
  type PersistentVolumeClaim,
  persistentVolumeClaim,
  pod,
  type ResourceQuota,
  resourceQuota,
} from '@periplus/api';
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
