import { randomUUID } from 'node:crypto';
import { builtinKinds } from '@periplus/api';
import type { DeepReadonly, KubeObject } from '@periplus/apimachinery';
import { type CacheLog, type Change, ClusterCache, type Index } from '@periplus/cache';
import { openEtcd } from '@periplus/etcd';
import { Keys, openStore, type Write } from '@periplus/store';
import { startEtcd } from '@periplus/testing';
import { expect, it } from 'vitest';

const keys = new Keys();
const silent: CacheLog = { info: () => {}, warn: () => {}, error: () => {} };
const pod = builtinKinds().byKind('', 'v1', 'Pod')!;
const pods = { group: '', resource: 'pods' };
const write = (name: string, object: Write['object'], ifRevision: number): Write => ({
  ...{ key: { ...pods, namespace: 'default', name }, object, confidential: [], ifRevision, companions: [] },
  provenance: { actor: 'me', verb: object ? 'update' : 'delete', timeMs: 1, requestId: randomUUID(), cause: null },
});
const podOf = (name: string, node = ''): Write['object'] => ({
  ...{
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name, ownerReferences: [{ uid: 'u1', kind: 'X', name: 'x', apiVersion: 'v1' }] },
  },
  spec: { nodeName: node },
});

it('mirrors what the store commits', async () => {
  await using etcd = await startEtcd();
  const client = openEtcd(await etcd.options());
  const store = openStore({ etcd: client, prefix: keys.prefix, cipher: null });
  const ending = new AbortController();
  const byNode: Index = {
    ...{ name: 'node', kind: pod },
    keys: (object: DeepReadonly<KubeObject>) => [(object as unknown as { spec: { nodeName: string } }).spec.nodeName],
  };
  const first = await store.commit(write('a', podOf('a'), 0));
  const cache = new ClusterCache({
    etcd: client,
    prefix: keys.prefix,
    cipher: null,
    log: silent,
    indexes: [byNode],
    liveness: true,
  });
  await cache.start(ending.signal);
  expect(cache.list(pods).map(({ key }) => key.name)).toEqual(['a']);
  const seen: Change[] = [];
  cache.subscribe((_, changes) => seen.push(...changes));
  const second = await store.commit(write('b', podOf('b', 'n1'), 0));
  const third = await store.commit(write('a', podOf('a', 'n2'), first.revision));
  const gone = await store.commit(write('b', null, second.revision));
  await cache.waitFor(gone.revision);
  expect(seen.map(({ type, entry }) => [type, entry.key.name, entry.resourceVersion])).toEqual([
    ['added', 'b', second.resourceVersion],
    ['modified', 'a', third.resourceVersion],
    ['deleted', 'b', gone.resourceVersion],
  ]);
  expect(seen[2]!.entry.provenance.verb).toBe('delete');
  const view = cache.view(0);
  expect(view.index(byNode, 'n2').length).toBe(1);
  expect(view.index(byNode, '').length).toBe(0);
  expect(view.owned(pod, 'u1').length).toBe(1);
  await client.put('/elsewhere', Buffer.from('x'));
  const now = await cache.current();
  await cache.waitFor(now);
  const { revision } = await client.put(keys.liveness('n1'), Buffer.from('x'));
  await cache.waitFor(revision);
  expect(cache.changesSince(pods, { revision: second.revision, index: 0 })!.length).toBe(2);
  expect(cache.changesSince(pods, { revision: 1, index: 0 })).toBeUndefined();
  expect(cache.view(0).alive('n1')).toBe(true);
  ending.abort();
  await store.close();
  await client.close();
});
