import { builtinKinds } from '@periplus/api';
import type { DeepReadonly, KubeObject } from '@periplus/apimachinery';
import { ClusterCache, endOf, type Index } from '@periplus/cache';
import { type EtcdClient, openEtcd } from '@periplus/etcd';
import { openStore, type Store } from '@periplus/store';
import { startEtcd, startProxy, type TestEtcd } from '@periplus/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Follower, keys, podOf, pods, silent, stored, writeOf } from './mirror.ts';

const pod = builtinKinds().byKind('', 'v1', 'Pod')!;
const byNode: Index = {
  ...{ name: 'node', kind: pod },
  keys: (object: DeepReadonly<KubeObject>) => [
    (object as unknown as { spec: { nodeName?: string } }).spec.nodeName ?? '',
  ],
};

let etcd: TestEtcd;
let client: EtcdClient;
let store: Store;
let ending: AbortController;
beforeEach(async () => {
  etcd = await startEtcd();
  client = openEtcd(await etcd.options());
  store = openStore({ etcd: client, prefix: keys.prefix, cipher: null });
  ending = new AbortController();
});
afterEach(async () => {
  ending.abort();
  await store.close();
  await client.close();
  await etcd.stop();
});
const cacheOf = (of: Partial<ConstructorParameters<typeof ClusterCache>[0]> = {}): ClusterCache =>
  new ClusterCache({ etcd: client, prefix: keys.prefix, cipher: null, log: silent, ...of });

it('shows each write once etcd has acknowledged it, with its cause and its place', async () => {
  const first = await store.commit(writeOf('a', podOf('a'), 0));
  const cache = cacheOf({ indexes: [byNode] });
  await cache.start(ending.signal);
  expect(cache.list(pods).map(({ key }) => key.name)).toEqual(['a']);
  const follower = new Follower(cache);
  const second = await store.commit(writeOf('b', podOf('b', { nodeName: 'n1' }), 0));
  const third = await store.commit(writeOf('a', podOf('a', { nodeName: 'n2' }), first.revision));
  const deletion = writeOf('b', null, second.revision);
  const gone = await store.commit(deletion);
  await cache.waitFor(gone.revision);
  expect(follower.changes.map(({ type, entry }) => [type, entry.key.name, entry.resourceVersion])).toEqual([
    ['added', 'b', second.resourceVersion],
    ['modified', 'a', third.resourceVersion],
    ['deleted', 'b', gone.resourceVersion],
  ]);
  expect(follower.changes[2]!.entry.provenance).toEqual(deletion.provenance);
  expect(cache.get(writeOf('a', null, 1).key)!.bytes).toEqual(third.bytes());
  const view = cache.view(0);
  expect(view.index(byNode, 'n2').length).toBe(1);
  expect(view.index(byNode, 'n1').length).toBe(0);
  expect(view.get(pod, 'default', 'a')!.metadata.resourceVersion).toBe(third.resourceVersion);
});

it('reaches revisions that changed nothing in it', async () => {
  const cache = cacheOf();
  await cache.start(ending.signal);
  const { revision } = await client.put('/elsewhere', Buffer.from('x'));
  await cache.waitFor(revision);
  expect(cache.revision).toBe(revision);
  const later = await client.put('/elsewhere', Buffer.from('y'));
  await cache.waitFor(await cache.current());
  expect(cache.revision).toBe(later.revision);
});

it('answers all who ask for the current revision at one moment with one read', async () => {
  let reads = 0;
  const range: EtcdClient['range'] = (request) => {
    reads++;
    return client.range(request);
  };
  const cache = cacheOf({ etcd: { ...client, range } });
  await cache.start(ending.signal);
  reads = 0;
  await Promise.all(Array.from({ length: 100 }, () => cache.current()));
  expect(reads).toBe(2);
});

it('is never behind a write that was acknowledged before somebody asked', async () => {
  await using proxy = await startProxy(etcd.endpoints[0]!);
  const far = openEtcd({ endpoints: [proxy.url] });
  // The answers of etcd overtake the events.
  const cache = cacheOf({ etcd: { ...client, watch: (options) => far.watch(options) } });
  await cache.start(ending.signal);
  let last = await store.commit(writeOf('a', podOf('a'), 0));
  for (let turn = 0; turn < 60; turn++) {
    proxy.faults.delayMs = turn % 7;
    last = await store.commit(writeOf('a', podOf('a', { turn: String(turn) }), last.revision));
    // A write elsewhere makes etcd's revision one that the watch will not mention.
    if (turn % 3 === 0) await client.put('/elsewhere', Buffer.from('x'));
    const asked = cache.current();
    await cache.waitFor(await asked);
    expect(cache.get({ ...pods, namespace: 'default', name: 'a' })!.revision).toBe(last.revision);
  }
  await far.close();
});

it('lists again after a compaction, keeps what is the same, and tells the difference', async () => {
  await using proxy = await startProxy(etcd.endpoints[0]!);
  const far = openEtcd({ endpoints: [proxy.url] });
  const kept = await store.commit(writeOf('kept', podOf('kept'), 0));
  const changed = await store.commit(writeOf('changed', podOf('changed'), 0));
  const gone = await store.commit(writeOf('gone', podOf('gone'), 0));
  const cache = cacheOf({ etcd: far });
  await cache.start(ending.signal);
  const follower = new Follower(cache);
  const before = cache.get({ ...pods, namespace: 'default', name: 'kept' });
  const atStart = cache.revision;

  proxy.faults.refuse = true;
  proxy.cut();
  await store.commit(writeOf('changed', podOf('changed', { x: '1' }), changed.revision));
  await store.commit(writeOf('new', podOf('new'), 0));
  const last = await store.commit(writeOf('gone', null, gone.revision));
  await client.compact(last.revision);
  proxy.faults.refuse = false;

  await cache.waitFor(last.revision);
  expect(follower.changes.map(({ type, entry }) => [type, entry.key.name])).toEqual([
    ['modified', 'changed'],
    ['added', 'new'],
    ['deleted', 'gone'],
  ]);
  expect(follower.changes[2]!.entry.resourceVersion).toBe(last.resourceVersion);
  expect(cache.get({ ...pods, namespace: 'default', name: 'kept' })).toBe(before);
  expect(before!.revision).toBe(kept.revision);
  expect(cache.changesSince(pods, endOf(atStart))).toBeUndefined();
  expect(cache.changesSince(pods, endOf(cache.revision))).toEqual([]);
  const next = await store.commit(writeOf('next', podOf('next'), 0));
  await cache.waitFor(next.revision);
  expect(follower.changes.at(-1)!.entry.key.name).toBe('next');
  await far.close();
});

it('lets watches start as far back as it remembers, and no further', async () => {
  const cache = cacheOf({ window: { changes: 3, bytes: 1 << 20 } });
  await cache.start(ending.signal);
  const start = cache.oldest(pods);
  expect(cache.changesSince(pods, start)).toEqual([]);
  const commits = [];
  for (const name of ['a', 'b', 'c']) commits.push(await store.commit(writeOf(name, podOf(name), 0)));
  await cache.waitFor(commits[2]!.revision);
  expect(cache.changesSince(pods, start)!.length).toBe(3);
  const fourth = await store.commit(writeOf('d', podOf('d'), 0));
  await cache.waitFor(fourth.revision);
  expect(cache.changesSince(pods, start)).toBeUndefined();
  const { revision, index } = commits[0]!;
  expect(cache.oldest(pods)).toEqual({ revision, index });
  expect(cache.changesSince(pods, { revision, index })!.map(({ entry }) => entry.key.name)).toEqual(['b', 'c', 'd']);
  expect(cache.changesSince({ group: 'apps', resource: 'deployments' }, start)).toEqual([]);
});

it('knows which nodes are alive, and tells when that changes', async () => {
  const { revision } = await client.put(keys.liveness('n1'), Buffer.from('x'));
  const cache = cacheOf({ liveness: true });
  await cache.start(ending.signal);
  expect([cache.view(0).alive('n1'), cache.view(0).alive('n2')]).toEqual([true, false]);
  const seen: unknown[] = [];
  cache.subscribeLiveness((node, alive) => seen.push([node, alive, cache.view(0).alive(node)]));
  const lease = await client.lease(60);
  await client.put(keys.liveness('n2'), Buffer.from('x'), lease.id);
  await client.put(keys.liveness('n2'), Buffer.from('y'), lease.id);
  await lease.revoke();
  await expect
    .poll(() => seen)
    .toEqual([
      ['n2', true, true],
      ['n2', false, false],
    ]);
  expect(revision).toBeGreaterThan(0);
});

it('waits for an etcd that is not there yet, and gives up when told to', async () => {
  await etcd.members[0]!.kill();
  const cache = cacheOf();
  const started = cache.start(ending.signal);
  const hopeless = new AbortController();
  const never = cacheOf().start(hopeless.signal);
  hopeless.abort(new Error('enough'));
  await expect(never).rejects.toThrow('enough');
  await etcd.members[0]!.start();
  await started;
  expect(cache.revision).toBeGreaterThan(0);
  ending.abort(new Error('over'));
  await expect(cache.waitFor(cache.revision + 1)).rejects.toThrow('over');
});

it('takes in a cluster of many pages', async () => {
  const commits = await Promise.all(
    Array.from({ length: 2_500 }, (_, at) => store.commit(writeOf(`p${at}`, podOf(`p${at}`), 0))),
  );
  const cache = cacheOf();
  await cache.start(ending.signal);
  const listed = cache.list(pods).map(({ key, resourceVersion }) => [key.name, resourceVersion]);
  expect(listed).toEqual((await stored(client)).versions);
  expect(cache.count(pods)).toBe(commits.length);
  expect(cache.list(pods, 'default', { after: 'default/p10', limit: 2 }).map(({ key }) => key.name)).toEqual([
    ...['p100', 'p1000'],
  ]);
});
