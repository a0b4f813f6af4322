import { configMap, type Kind, namespace } from '@periplus/api';
import { type KubeObject, ownerReferenceTo } from '@periplus/apimachinery';
import { openEtcd } from '@periplus/etcd';
import { startProxy } from '@periplus/testing';
import { expect, it } from 'vitest';
import { eventually, runControllers, startControlPlane } from './control-plane.ts';

const KIND = configMap as Kind;

it('collects what an owner left that was made anew while etcd was away, and had compacted when it was back', async () => {
  await using plane = await startControlPlane();
  await using proxy = await startProxy(plane.core.endpoints[0]!);
  const far = openEtcd({ endpoints: [proxy.url] });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => far.close());
  stack.use(await runControllers(plane, { etcd: far }));
  const make = (name: string, owner?: KubeObject) =>
    plane.create(KIND, {
      ...{ apiVersion: 'v1', kind: 'ConfigMap' },
      metadata: { namespace: 'd', name, ...(owner && { ownerReferences: [ownerReferenceTo(owner, KIND)] }) },
    });
  const present = (name: string) => plane.get(KIND, 'd', name) as KubeObject | undefined;
  const made = (name: string): Promise<KubeObject> =>
    eventually(() => {
      expect(present(name)).toBeDefined();
      return present(name)!;
    });
  await plane.create(namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'd' }, spec: {} });
  await make('owner');
  await make('left', await made('owner'));
  // Made by a controller: it follows etcd by now.
  await made('kube-root-ca.crt');

  proxy.faults.refuse = true;
  proxy.cut();
  await plane.admin.send({ verb: 'delete', kind: KIND, namespace: 'd', name: 'owner' }, null);
  await make('owner');
  const owner = await made('owner');
  await make('kept', owner);
  await plane.core.etcd.compact(await plane.core.cache.current());
  expect(present('left')).toBeDefined();
  proxy.faults.refuse = false;

  await eventually(() => expect(present('left')).toBeUndefined());
  expect(present('owner')?.metadata.uid).toBe(owner.metadata.uid);
  expect(present('kept')).toBeDefined();
});
