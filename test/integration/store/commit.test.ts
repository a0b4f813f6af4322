import { randomBytes, randomUUID } from 'node:crypto';
import { type EtcdClient, openEtcd } from '@periplus/etcd';
import { Cipher, decodeProvenance, decodeRecord, decodeTombstone, Keys, openStore, type Write } from '@periplus/store';
import { startEtcd, type TestEtcd } from '@periplus/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';

const keys = new Keys();
const cipher = new Cipher([{ id: 'first', key: randomBytes(32) }]);

const writeOf = (resource: string, name: string, of: Partial<Write> = {}): Write => ({
  key: { group: '', resource, namespace: 'default', name },
  object: { kind: 'Thing', apiVersion: 'v1', metadata: { name } },
  ...{ confidential: [], ifRevision: 0, companions: [] },
  provenance: { actor: 'me', verb: 'create', timeMs: 1, requestId: randomUUID(), cause: null },
  ...of,
});
const manyOf = (resource: string, count: number): Write[] =>
  Array.from({ length: count }, (_, at) => writeOf(resource, `n${at}`));

let etcd: TestEtcd;
let client: EtcdClient;
beforeAll(async () => {
  etcd = await startEtcd();
  client = openEtcd(await etcd.options());
});
afterAll(async () => {
  await client.close();
  await etcd.stop();
});
const open = () => openStore({ etcd: client, prefix: keys.prefix, cipher });
const read = async (write: Write) => (await client.range({ key: keys.registry(write.key) })).kvs[0]!;

it('commits what comes together in few transactions, each write with a version of its own', async () => {
  const store = open();
  const writes = manyOf('pods', 500);
  const committed = await Promise.all(writes.map((write) => store.commit(write)));
  expect(new Set(committed.map(({ resourceVersion }) => resourceVersion)).size).toBe(500);
  expect(store.stats.transactions).toBeLessThan(12);
  for (const [at, write] of writes.entries()) {
    const record = decodeRecord(await read(write), keys, null);
    expect(record.bytes).toEqual(committed[at]!.bytes());
    expect(record.provenance).toEqual(write.provenance);
  }
  await store.close();
});

it('fills a transaction with as many writes of several operations as etcd takes', async () => {
  const store = open();
  const writes = manyOf('services', 300).map((write) => ({
    ...write,
    companions: Array.from({ length: 6 }, (_, port) => ({
      ...{ path: `allocations/nodeports/${write.key.name}-${port}`, put: Buffer.from('x'), ifAbsent: true as const },
    })),
  }));
  await Promise.all(writes.map((write) => store.commit(write)));
  await expect(store.commit({ ...writes[7]!, key: { ...writes[7]!.key, name: 'other' } })).rejects.toMatchObject({
    companion: 'allocations/nodeports/n7-0',
  });
  await store.close();
});

it('commits a transaction of as many writes and companions as etcd takes at one revision, or nothing', async () => {
  const store = open();
  const writes = manyOf('routes', 63).map((write, at) => ({
    ...write,
    companions: [{ path: `allocations/routes/${at}`, put: Buffer.from('x'), ifAbsent: true as const }],
  }));
  const [single, committed] = await Promise.all([
    store.commit(writeOf('routes', 'alone')),
    store.commitAll({ writes, standing: [] }),
  ]);
  expect(new Set(committed.map(({ revision }) => revision)).size).toBe(1);
  expect(new Set([...committed, single].map(({ resourceVersion }) => resourceVersion)).size).toBe(64);
  expect(decodeRecord(await read(writes[62]!), keys, null).bytes).toEqual(committed[62]!.bytes());

  const before = (await client.range({ ...keys.registryRange(), keysOnly: true })).count;
  const next = manyOf('others', 20);
  const taken = { ...writes[3]!, key: next[7]!.key };
  await expect(store.commitAll({ writes: next.with(7, taken), standing: [] })).rejects.toMatchObject({
    ...{ place: 7, companion: 'allocations/routes/3' },
  });
  const moved = [{ key: writes[5]!.key, revision: committed[5]!.revision + 1 }];
  await expect(store.commitAll({ writes: next, standing: moved })).rejects.toMatchObject({
    place: 20,
    companion: null,
  });
  const filler = 'x'.repeat(100_000);
  const large = next.map((write) => ({ ...write, object: { ...write.object, filler } }));
  await expect(store.commitAll({ writes: large, standing: [] })).rejects.toMatchObject({
    reason: 'RequestEntityTooLarge',
  });
  expect((await client.range({ ...keys.registryRange(), keysOnly: true })).count).toBe(before);
  const standing = [{ key: writes[5]!.key, revision: committed[5]!.revision }];
  await store.commitAll({ writes: next, standing });
  await store.close();
});

it('leaves a tombstone in the transaction of the deletion, which ends by itself', async () => {
  const store = open();
  const created = await store.commit(writeOf('configmaps', 'a'));
  const deletion = writeOf('configmaps', 'a', { object: null, ifRevision: created.revision });
  const gone = await store.commit(deletion);
  expect((await client.range({ key: keys.registry(deletion.key) })).kvs).toEqual([]);
  const [stone] = (await client.range({ key: keys.tombstone(deletion.key) })).kvs;
  expect(stone).toMatchObject({ modRevision: gone.revision });
  expect(stone!.lease).not.toBe('0');
  const { index, provenance } = decodeTombstone(stone!.value);
  expect({ index, by: decodeProvenance(provenance) }).toEqual({ index: gone.index, by: deletion.provenance });
  const again = await store.commit(writeOf('configmaps', 'a'));
  await store.commit(writeOf('configmaps', 'a', { object: null, ifRevision: again.revision }));
  await store.close();
});

it('keeps what is confidential out of etcd', async () => {
  const store = open();
  const data = { password: 'aHVudGVyMg==' };
  const write = writeOf('secrets', 'a', {
    object: { kind: 'Secret', apiVersion: 'v1', metadata: { name: 'a' }, data, type: 'Opaque' },
    confidential: ['data', 'stringData'],
  });
  const bytes = (await store.commit(write)).bytes();
  expect(JSON.parse(bytes!.toString()).data).toEqual(data);
  const kv = await read(write);
  expect(kv.value.includes('password')).toBe(false);
  expect(kv.value.includes(data.password)).toBe(false);
  expect(decodeRecord(kv, keys, cipher).bytes).toEqual(bytes);
  expect(JSON.parse(decodeRecord(kv, keys, null).bytes.toString())).toMatchObject({ type: 'Opaque' });
  await store.close();
});

it('refuses what is larger than etcd takes, and only that', async () => {
  const store = open();
  const large = (megabytes: number) => ({
    ...{ kind: 'Thing', apiVersion: 'v1', metadata: { name: 'x' }, filler: 'x'.repeat(megabytes * 1_000_000) },
  });
  const writes = [1.2, 2, 0, 1.2, 0].map((size, at) => writeOf('things', `t${at}`, { object: large(size) }));
  const outcomes = await Promise.allSettled(writes.map((write) => store.commit(write)));
  expect(outcomes.map(({ status }) => status)).toEqual([
    ...['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled'],
  ]);
  expect(outcomes[1]).toMatchObject({ reason: { reason: 'RequestEntityTooLarge' } });
  await store.close();
});

it('says that etcd is full, and has then written nothing', async () => {
  await using small = await startEtcd({ quotaBytes: 16 << 20 });
  const smallClient = openEtcd(await small.options());
  const store = openStore({ etcd: smallClient, prefix: keys.prefix, cipher: null });
  const filler = 'x'.repeat(300_000);
  const outcomes: string[] = [];
  const acknowledged: number[] = [];
  for (let at = 0; at < 200 && !outcomes.includes('ServiceUnavailable'); at++) {
    const object = { kind: 'Thing', apiVersion: 'v1', metadata: { name: 'x' }, filler };
    await store.commit(writeOf('things', `t${at}`, { object })).then(
      () => acknowledged.push(at),
      (error) => outcomes.push(error.reason),
    );
  }
  expect(outcomes).toEqual(['ServiceUnavailable']);
  const { kvs } = await smallClient.range({ ...keys.registryRange(), keysOnly: true });
  expect(kvs.length).toBe(acknowledged.length);
  await store.close();
  await smallClient.close();
});
