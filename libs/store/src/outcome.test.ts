import { describe, expect, it } from 'vitest';
import { openStore } from './group-commit.ts';
import { Keys } from './keys.ts';
import { MemoryEtcd } from './memory-etcd.ts';
import { findOutcome } from './outcome.ts';
import type { Committed } from './types.ts';

const keys = new Keys('/p');
const key = { group: '', resource: 'pods', namespace: 'default', name: 'a' };

/** Created, changed, deleted, and created again, by requests r0 to r3. */
async function history(): Promise<{ etcd: MemoryEtcd; commits: Committed[] }> {
  const etcd = new MemoryEtcd();
  const store = openStore({ etcd, prefix: '/p', cipher: null });
  const commits: Committed[] = [];
  const pod = { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'a' } };
  for (const [at, object] of [pod, pod, null, pod].entries()) {
    const before = commits.at(-1);
    const write = {
      ...{ key, object, confidential: [], companions: [] },
      ifRevision: before?.bytes() ? before.revision : 0,
      provenance: { actor: '', verb: '', timeMs: 0, requestId: `r${at}`, cause: null },
    };
    commits.push(await store.commit(write));
  }
  return { etcd, commits };
}

describe('findOutcome', () => {
  it('finds a write behind whatever has happened to the object since', async () => {
    const { etcd, commits } = await history();
    for (const [at, { revision, index }] of commits.entries()) {
      const query = { key, requestId: `r${at}`, after: 0, upTo: 0 };
      expect(await findOutcome(etcd, keys, query)).toEqual({ revision, index });
      expect(await findOutcome(etcd, keys, { ...query, upTo: revision })).toEqual({ revision, index });
      expect(await findOutcome(etcd, keys, { ...query, upTo: revision - 1 })).toBeUndefined();
      expect(await findOutcome(etcd, keys, { ...query, after: revision })).toBeUndefined();
    }
  });

  it('does not find what was never written', async () => {
    const { etcd } = await history();
    expect(await findOutcome(etcd, keys, { key, requestId: 'r9', after: 0, upTo: 0 })).toBeUndefined();
    const other = { ...key, name: 'b' };
    expect(await findOutcome(etcd, keys, { key: other, requestId: 'r0', after: 0, upTo: 0 })).toBeUndefined();
  });

  it('looks no further back than it has to', async () => {
    const { etcd, commits } = await history();
    let reads = 0;
    etcd.interrupt = () => reads++;
    await findOutcome(etcd, keys, { key, requestId: 'r9', after: commits[2]!.revision, upTo: 0 });
    expect(reads).toBe(1);
  });

  it('reports a log that no longer reaches back', async () => {
    const { etcd, commits } = await history();
    etcd.compacted = commits[2]!.revision;
    await expect(findOutcome(etcd, keys, { key, requestId: 'r0', after: 0, upTo: 0 })).rejects.toMatchObject({
      reason: 'Compacted',
    });
  });
});
