import { type Kind, namespace, type Pod, persistentVolume, persistentVolumeClaim, pod } from '@periplus/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, eventually, runControllers, startControlPlane } from './control-plane.ts';

const [VOLUME, CLAIM] = [persistentVolume as Kind, persistentVolumeClaim as Kind];

describe('a volume that is to be recycled', () => {
  let plane: ControlPlane;
  const stack = new AsyncDisposableStack();
  beforeAll(async () => {
    plane = stack.use(await startControlPlane());
    stack.use(await runControllers(plane));
    await plane.create(namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'd' }, spec: {} });
    await plane.addNode('n1');
  });
  afterAll(() => stack.disposeAsync());

  const phase = () => plane.get(persistentVolume, '', 'pv')?.status?.phase;
  const recycler = () => plane.get(pod, 'default', 'recycler-for-pv');
  /** What a scheduler and a kubelet do. */
  const end = async (status: Pod['status']): Promise<void> => {
    const target = { kind: pod as Kind, namespace: 'default', name: 'recycler-for-pv' };
    const metadata = { namespace: 'default', name: 'recycler-for-pv' };
    const object = { apiVersion: 'v1', kind: 'Binding', metadata, target: { kind: 'Node', name: 'n1' } };
    await plane.admin.send({ ...target, verb: 'create', subresource: 'binding', object }, null);
    await plane.patch(target.kind, 'default', target.name, { status }, 'status');
  };

  it('is emptied by a pod that the api-server takes, and free again once that has succeeded', async () => {
    const storage = { storage: '1Gi' };
    await plane.create(VOLUME, {
      ...{ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'pv' } },
      spec: {
        ...{ capacity: storage, accessModes: ['ReadWriteOnce'], persistentVolumeReclaimPolicy: 'Recycle' },
        ...{ storageClassName: '', hostPath: { path: '/volumes/pv' } },
      },
    } as never);
    await plane.create(CLAIM, {
      ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { namespace: 'd', name: 'data' } },
      spec: { accessModes: ['ReadWriteOnce'], storageClassName: '', resources: { requests: storage } },
    } as never);
    await eventually(() => expect(phase()).toBe('Bound'));
    await plane.admin.send({ verb: 'delete', kind: CLAIM, namespace: 'd', name: 'data' }, null);
    await eventually(() => expect(recycler()).toBeDefined());
    await end({ phase: 'Succeeded' });
    await eventually(() => {
      expect(phase()).toBe('Available');
      expect(plane.get(persistentVolume, '', 'pv')!.spec.claimRef).toBeUndefined();
      expect(recycler()).toBeUndefined();
      expect(plane.events()).toContain('VolumeRecycled Volume recycled');
    });
  });
});
