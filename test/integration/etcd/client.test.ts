import { EtcdError, openEtcd, prefixEnd, type RevisionBatch } from '@periplus/etcd';
import { startEtcd, type TestEtcd } from '@periplus/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';

let etcd: TestEtcd;
let client: ReturnType<typeof openEtcd>;

beforeAll(async () => {
  etcd = await startEtcd();
  client = openEtcd(await etcd.options());
});

afterAll(async () => {
  await client?.close();
  await etcd?.stop();
});

const bytes = (text: string): Buffer => Buffer.from(text);

test('what was put is read back with its revisions', async () => {
  const { revision } = await client.put('/a/1', bytes('one'));
  const { kvs, count, more } = await client.range({ key: '/a/1' });
  expect({ count, more }).toEqual({ count: 1, more: false });
  expect(kvs).toEqual([
    { key: '/a/1', value: bytes('one'), createRevision: revision, modRevision: revision, version: 1, lease: '0' },
  ]);
});

test('a range ends where its prefix ends, and is cut at its limit', async () => {
  for (const key of ['/b/1', '/b/2', '/b0']) await client.put(key, bytes(key));
  const all = await client.range({ key: '/b/', rangeEnd: prefixEnd('/b/') });
  expect(all.kvs.map((kv) => kv.key)).toEqual(['/b/1', '/b/2']);
  const first = await client.range({ key: '/b/', rangeEnd: prefixEnd('/b/'), limit: 1, keysOnly: true });
  expect(first).toMatchObject({ more: true, count: 2, kvs: [{ key: '/b/1', value: bytes('') }] });
});

test('the past is read at its revision until it is compacted', async () => {
  const old = await client.put('/c', bytes('old'));
  const now = await client.put('/c', bytes('new'));
  expect((await client.range({ key: '/c', revision: old.revision })).kvs[0]!.value).toEqual(bytes('old'));
  await client.compact(now.revision);
  const error = await client.range({ key: '/c', revision: old.revision }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(EtcdError);
  expect(error).toMatchObject({ reason: 'Compacted', outcome: 'refused' });
  const ahead = await client.range({ key: '/c', revision: now.revision + 1_000 }).catch((reason: unknown) => reason);
  expect(ahead).toMatchObject({ reason: 'FutureRevision', outcome: 'refused' });
});

test('nested transactions decide one by one and share a revision', async () => {
  await client.put('/d/taken', bytes('x'));
  const create = (key: string) =>
    ({
      type: 'txn',
      compare: [{ key, target: 'mod', result: 'equal', value: 0 }],
      success: [{ type: 'put', key, value: bytes('new') }],
      failure: [{ type: 'range', key }],
    }) as const;
  const result = await client.txn({ compare: [], success: [create('/d/free'), create('/d/taken')], failure: [] });
  expect(result.succeeded).toBe(true);
  const [free, taken] = result.results;
  expect(free).toEqual({ type: 'txn', revision: result.revision, succeeded: true, results: [{ type: 'put' }] });
  expect(taken).toMatchObject({ type: 'txn', succeeded: false, results: [{ type: 'range', count: 1 }] });
  expect((await client.range({ key: '/d/free' })).kvs[0]!.modRevision).toBe(result.revision);
});

test('a delete tells what it removed', async () => {
  await client.put('/e/1', bytes('1'));
  await client.put('/e/2', bytes('2'));
  const { results } = await client.txn({
    compare: [{ key: '/e/1', target: 'version', result: 'greater', value: 0 }],
    success: [{ type: 'delete', key: '/e/', rangeEnd: prefixEnd('/e/'), prevKv: true }],
    failure: [],
  });
  expect(results[0]).toMatchObject({ type: 'delete', deleted: 2, prevs: [{ key: '/e/1' }, { key: '/e/2' }] });
});

test('a watch delivers past and present, whole revisions in order', async () => {
  const { revision } = await client.put('/f/1', bytes('1'));
  await client.put('/elsewhere', bytes('x'));
  await client.txn({
    compare: [],
    success: [
      { type: 'put', key: '/f/2', value: bytes('2') },
      { type: 'delete', key: '/f/1' },
    ],
    failure: [],
  });
  const batches: RevisionBatch[] = [];
  const watch = client.watch({
    key: '/f/',
    rangeEnd: prefixEnd('/f/'),
    startRevision: revision,
    prevKv: true,
    onRevision: (batch) => batches.push(batch),
    onCompacted: () => expect.unreachable(),
    onFailed: (error) => expect.unreachable(error.message),
  });
  await client.put('/f/3', bytes('3'));
  await expect.poll(() => batches.length).toBe(3);
  watch.cancel();
  expect(batches.map((batch) => batch.revision)).toEqual([revision, revision + 2, revision + 3]);
  expect(batches[1]!.events).toMatchObject([
    { type: 'put', kv: { key: '/f/2' } },
    { type: 'delete', kv: { key: '/f/1' }, prev: { value: bytes('1') } },
  ]);
});

test('a lease keeps its key until it is revoked', async () => {
  const lease = await client.lease(2);
  await client.put('/g', bytes('alive'), lease.id);
  expect((await client.range({ key: '/g' })).kvs[0]!.lease).toBe(lease.id);
  await lease.revoke();
  await lease.ended;
  expect((await client.range({ key: '/g' })).kvs).toEqual([]);
});

test('a put under a lease that is gone is refused', async () => {
  const lease = await client.grant(60);
  const gone = String(Number(lease) + 1);
  await expect(client.put('/h', bytes('x'), gone)).rejects.toMatchObject({
    reason: 'LeaseNotFound',
    outcome: 'refused',
  });
  const txn = {
    compare: [],
    success: [{ type: 'put', key: '/h', value: bytes('x'), lease: gone }],
    failure: [],
  } as const;
  await expect(client.txn(txn)).rejects.toMatchObject({ reason: 'LeaseNotFound', outcome: 'refused' });
  expect((await client.range({ key: '/h' })).kvs).toEqual([]);
});
