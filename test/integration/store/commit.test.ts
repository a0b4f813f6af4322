import { randomUUID } from 'node:crypto';
import { openEtcd } from '@periplus/etcd';
import { Keys, openStore, type Write, WriteConflict } from '@periplus/store';
import { startEtcd } from '@periplus/testing';
import { expect, it } from 'vitest';

const keys = new Keys();
const provenance = (verb: string): Write['provenance'] => ({
  ...{ actor: 'somebody', verb, timeMs: 1, requestId: randomUUID(), cause: null },
});
const podKey = (name: string): Write['key'] => ({ group: '', resource: 'pods', namespace: 'default', name });
const create = (name: string): Write => ({
  key: podKey(name),
  object: { kind: 'Pod', apiVersion: 'v1', metadata: { name } },
  confidential: [],
  ifRevision: 0,
  companions: [],
  provenance: provenance('create'),
});

it('commits', async () => {
  await using etcd = await startEtcd();
  const client = openEtcd(await etcd.options());
  const store = openStore({ etcd: client, prefix: keys.prefix, cipher: null });
  const done = await Promise.all(Array.from({ length: 50 }, (_, i) => store.commit(create(`p${i}`))));
  expect(new Set(done.map((x) => x.resourceVersion)).size).toBe(50);
  await expect(store.commit(create('p1'))).rejects.toBeInstanceOf(WriteConflict);
  const gone = await store.commit({
    ...create('p1'),
    object: null,
    ifRevision: done[1]!.revision,
    provenance: provenance('delete'),
  });
  expect(gone.bytes).toBe(null);
  expect((await client.range(keys.registryRange())).kvs.length).toBe(49);
  await store.close();
  await client.close();
});
