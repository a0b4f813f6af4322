import { randomUUID } from 'node:crypto';
import { StatusError, versionOfWrite } from '@periplus/apimachinery';
import { EtcdError } from '@periplus/etcd';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openStore } from './group-commit.ts';
import { Keys } from './keys.ts';
import { type Fate, MemoryEtcd } from './memory-etcd.ts';
import { decodeProvenance, decodeRecord, decodeTombstone } from './record.ts';
import type { Committed, Write } from './types.ts';
import { WriteConflict } from './write-conflict.ts';

const keys = new Keys('/p');
const keyOf = (name: string): Write['key'] => ({ group: '', resource: 'pods', namespace: 'default', name });
const writeOf = (name: string, of: Partial<Write> = {}): Write => ({
  key: keyOf(name),
  object: { kind: 'Pod', apiVersion: 'v1', metadata: { name } },
  ...{ confidential: [], ifRevision: 0, companions: [] },
  provenance: { actor: 'somebody', verb: 'apply', timeMs: 1, requestId: randomUUID(), cause: null },
  ...of,
});

/** Time passes only when somebody waits for it. */
function open() {
  const etcd = new MemoryEtcd();
  let ms = 0;
  const clock = {
    nowMs: () => ms,
    pause: async (delayMs: number, signal: AbortSignal): Promise<void> => {
      // The closing limit runs beside everything else.
      if (delayMs >= 5_000) return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
      await new Promise(setImmediate);
      ms += delayMs;
    },
  };
  return { etcd, store: openStore({ etcd, prefix: '/p', cipher: null, clock }) };
}

const inbox = (name: string) => ({ path: `nodes/n/pods/default/${name}`, put: 'record' }) as const;
const address = (last: number) =>
  ({ path: `allocations/clusterips/10.0.0.${last}`, put: Buffer.from('x'), ifAbsent: true }) as const;

describe('a transaction of several writes', () => {
  it('happens at one revision, each write at a place of its own, among others that came together', async () => {
    const { etcd, store } = open();
    const single = store.commit(writeOf('a'));
    const several = store.commitAll({ writes: [writeOf('b'), writeOf('c'), writeOf('d')], standing: [] });
    const after = store.commit(writeOf('e'));
    const committed = [await single, ...(await several), await after];
    expect(etcd.transactions.length).toBe(1);
    expect(committed.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4]);
    expect(new Set(committed.map(({ revision }) => revision)).size).toBe(1);
    const kv = etcd.history(keys.registry(keyOf('d')))[0]!.kv!;
    expect(decodeRecord(kv, keys, null)).toMatchObject({ index: 3, bytes: committed[3]!.bytes() });
    expect(store.stats.writes).toBe(5);
  });

  it('happens with all that goes with its writes, or not at all', async () => {
    const { etcd, store } = open();
    const { revision } = await store.commit(writeOf('old', { companions: [inbox('old')] }));
    const deletion = writeOf('old', {
      ...{ object: null, ifRevision: revision, companions: [{ path: inbox('old').path, delete: true }] },
    });
    const writes = [writeOf('new', { companions: [inbox('new'), address(1)] }), deletion];
    await expect(
      store.commitAll({ writes: [...writes, writeOf('x', { ifRevision: 7 })], standing: [] }),
    ).rejects.toThrow(WriteConflict);
    expect(etcd.history(keys.at(inbox('new').path))).toEqual([]);
    expect(etcd.history(keys.at(address(1).path))).toEqual([]);
    expect(etcd.history(keys.tombstone(deletion.key))).toEqual([]);
    const [, gone] = await store.commitAll({ writes, standing: [] });
    const changed = [inbox('new').path, inbox('old').path, address(1).path].map((path) => keys.at(path));
    for (const key of [...changed, keys.tombstone(deletion.key), keys.registry(deletion.key)]) {
      expect(etcd.history(key).at(-1)!.revision).toBe(gone!.revision);
    }
    expect(decodeTombstone(etcd.history(keys.tombstone(deletion.key))[0]!.kv!.value).index).toBe(1);
  });

  it('says which write was in the way, and whether the object or a companion', async () => {
    const { store } = open();
    await store.commit(writeOf('a', { companions: [address(1)] }));
    const attempt = (...writes: Write[]) => store.commitAll({ writes, standing: [] });
    await expect(attempt(writeOf('b'), writeOf('a'), writeOf('c'))).rejects.toMatchObject({
      place: 1,
      companion: null,
    });
    const taken = writeOf('d', { companions: [address(2), address(1)] });
    await expect(attempt(writeOf('b', { companions: [address(3)] }), writeOf('c'), taken)).rejects.toMatchObject({
      ...{ place: 2, companion: address(1).path },
    });
  });

  it('relies on objects that it does not write', async () => {
    const { store } = open();
    const a = await store.commit(writeOf('a'));
    const b = await store.commit(writeOf('b'));
    const standing = [a, b].map(({ revision }, at) => ({ key: keyOf('ab'[at]!), revision }));
    await store.commitAll({ writes: [writeOf('c')], standing });
    await store.commit(writeOf('b', { ifRevision: b.revision }));
    const late = store.commitAll({ writes: [writeOf('d')], standing });
    await expect(late).rejects.toMatchObject({ name: 'WriteConflict', place: 2, companion: null });
  });

  it('is refused before it is sent when it is more than etcd takes', async () => {
    const { etcd, store } = open();
    const many = (count: number) => Array.from({ length: count }, (_, at) => writeOf(`n${at}`));
    await expect(store.commitAll({ writes: many(4_096), standing: [] })).rejects.toMatchObject({
      reason: 'RequestEntityTooLarge',
      message: 'Request entity too large: a transaction of 4096 objects, limit is 4095',
    });
    await expect(store.commitAll({ writes: [writeOf('a'), writeOf('a')], standing: [] })).rejects.toThrow('once');
    expect(etcd.transactions).toEqual([]);
    const committed = await store.commitAll({ writes: many(1_000), standing: [] });
    expect(committed.map(({ index }) => index)).toEqual(Array.from({ length: 1_000 }, (_, at) => at));
    expect(new Set(committed.map(({ revision }) => revision)).size).toBe(1);
  });
});

type Answer = Committed[] | 'conflict' | 'given up';

/** Where each request stands in the log; throws for one that stands there twice. */
function logOf(etcd: MemoryEtcd, names: readonly string[]): Map<string, string> {
  const logged = new Map<string, string>();
  for (const name of names) {
    const stones = etcd.history(keys.tombstone(keyOf(name)));
    for (const { revision, kv } of etcd.history(keys.registry(keyOf(name)))) {
      const stone = kv === null && decodeTombstone(stones.find((each) => each.revision === revision)!.kv!.value);
      const { index, requestId } = stone
        ? { index: stone.index, requestId: decodeProvenance(stone.provenance).requestId }
        : { index: decodeRecord(kv!, keys, null).index, ...decodeRecord(kv!, keys, null).provenance };
      if (logged.has(requestId)) throw new Error(`${requestId} was written twice`);
      logged.set(requestId, versionOfWrite(revision, index));
    }
  }
  return logged;
}

describe('whatever happens to them', () => {
  it('transactions are whole at one revision or not there, as their callers were told', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const step = fc.record({
      names: fc.subarray(names, { minLength: 1 }),
      stale: fc.boolean(),
      deletes: fc.boolean(),
      single: fc.boolean(),
    });
    const script = fc.record({
      fates: fc.array(fc.constantFrom<Fate>('answered', 'refused', 'requestLost', 'answerLost', 'late'), {
        maxLength: 60,
      }),
      outages: fc.array(fc.boolean(), { maxLength: 60 }),
      writers: fc.array(fc.array(step, { maxLength: 8 }), { maxLength: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(script, async ({ fates, outages, writers }) => {
        const { etcd, store } = open();
        etcd.fate = () => {
          etcd.deliverLate();
          return fates.shift() ?? 'answered';
        };
        etcd.interrupt = () => {
          if (outages.shift()) throw new EtcdError('Unavailable', 'unknown', 'away');
        };
        const told: { writes: Write[]; answer: Answer }[] = [];
        const run = async (of: (typeof writers)[number][number]): Promise<void> => {
          const writes = of.names.map((name, at) => {
            const now = etcd.history(keys.registry(keyOf(name))).at(-1)?.kv?.modRevision ?? 0;
            const ifRevision = of.stale && at === of.names.length - 1 ? now + 1 : now;
            return writeOf(name, of.deletes && ifRevision > 0 ? { object: null, ifRevision } : { ifRevision });
          });
          const asked = of.single ? writes.slice(-1) : writes;
          const answer = await (of.single
            ? store.commit(asked[0]!).then((one) => [one])
            : store.commitAll({ writes: asked, standing: [] })
          ).catch((error: unknown): Answer => {
            if (error instanceof WriteConflict) return 'conflict';
            if (error instanceof StatusError && error.reason === 'Timeout') return 'given up';
            throw error;
          });
          told.push({ writes: asked, answer });
        };
        await Promise.all(
          writers.map(async (steps) => {
            for (const each of steps) await run(each);
          }),
        );
        etcd.deliverLate();
        const logged = logOf(etcd, names);
        for (const { writes, answer } of told) {
          const places = writes.map(({ provenance: { requestId } }) => logged.get(requestId));
          if (typeof answer === 'string') expect(places).toEqual(writes.map(() => undefined));
          else {
            expect(places).toEqual(answer.map(({ resourceVersion }) => resourceVersion));
            expect(new Set(answer.map(({ revision }) => revision)).size).toBe(1);
          }
          for (const { provenance } of writes) logged.delete(provenance.requestId);
        }
        expect([...logged]).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});
