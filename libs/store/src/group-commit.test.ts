import { randomUUID } from 'node:crypto';
import { StatusError, versionOfWrite } from '@periplus/apimachinery';
import { EtcdError, type TxnRequest } from '@periplus/etcd';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type GroupCommit, openStore } from './group-commit.ts';
import { Keys } from './keys.ts';
import { type Fate, MemoryEtcd } from './memory-etcd.ts';
import { decodeProvenance, decodeRecord, decodeTombstone } from './record.ts';
import type { Committed, Write } from './types.ts';
import { WriteConflict } from './write-conflict.ts';

const keys = new Keys('/p');
const keyOf = (name: string): Write['key'] => ({ group: '', resource: 'configmaps', namespace: 'default', name });
const provenance = (verb: string): Write['provenance'] => ({
  ...{ actor: 'somebody', verb, timeMs: 1, requestId: randomUUID(), cause: null },
});
const writeOf = (name: string, of: Partial<Write> = {}): Write => ({
  key: keyOf(name),
  object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name } },
  ...{ confidential: [], ifRevision: 0, companions: [], provenance: provenance('create') },
  ...of,
});
const deletionOf = (name: string, ifRevision: number): Write =>
  writeOf(name, { object: null, ifRevision, provenance: provenance('delete') });

/** Time passes only when somebody waits for it. */
class FakeClock {
  ms = 0;
  nowMs = (): number => this.ms;
  pause = async (delayMs: number, signal: AbortSignal): Promise<void> => {
    // The closing limit runs beside everything else: it must not race ahead of what it limits.
    if (delayMs >= 5_000) return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
    await new Promise(setImmediate);
    this.ms += delayMs;
  };
}

function open(): { etcd: MemoryEtcd; store: GroupCommit; clock: FakeClock } {
  const etcd = new MemoryEtcd();
  const clock = new FakeClock();
  return { etcd, clock, store: openStore({ etcd, prefix: '/p', cipher: null, clock }) };
}

/** Fates for the transactions in turn; answered when they run out. */
function fates(...list: Fate[]): () => Fate {
  const left = [...list];
  return () => left.shift() ?? 'answered';
}

const reasonOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error: unknown) => (error instanceof StatusError ? error.reason : (error as Error).name),
  );

describe('GroupCommit', () => {
  it('sends alone what comes alone, and together what comes together', async () => {
    const { etcd, store } = open();
    await store.commit(writeOf('a'));
    expect(etcd.transactions.length).toBe(1);
    const results = await Promise.all(['b', 'c', 'd'].map((name) => store.commit(writeOf(name))));
    expect(etcd.transactions.length).toBe(2);
    expect(results.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(new Set(results.map(({ revision }) => revision)).size).toBe(1);
  });

  it('acknowledges with the version and bytes that readers will see', async () => {
    const { etcd, store } = open();
    const [, second] = await Promise.all([store.commit(writeOf('a')), store.commit(writeOf('b'))]);
    const [kv] = (await etcd.range({ key: keys.registry(keyOf('b')) })).kvs;
    const record = decodeRecord(kv!, keys, null);
    expect({ ...second, bytes: second!.bytes() }).toEqual({
      ...{ revision: kv!.modRevision, index: 1, resourceVersion: versionOfWrite(kv!.modRevision, 1) },
      bytes: record.bytes,
    });
  });

  it('writes the revision key with every transaction, so that readers know the end of the log', async () => {
    const { etcd, store } = open();
    const { revision } = await store.commit(writeOf('a'));
    expect(etcd.history(keys.revision).map((version) => version.revision)).toEqual([revision]);
  });

  it('keeps the conflict of one writer from the others', async () => {
    const { store } = open();
    const first = await store.commit(writeOf('a'));
    const [taken, stale, fine] = await Promise.allSettled([
      store.commit(writeOf('a')),
      store.commit(writeOf('b', { ifRevision: 99 })),
      store.commit(writeOf('c')),
    ]);
    expect(taken).toMatchObject({ status: 'rejected', reason: { name: 'WriteConflict', companion: null } });
    expect(stale).toMatchObject({ status: 'rejected', reason: { name: 'WriteConflict', companion: null } });
    expect(fine).toMatchObject({ status: 'fulfilled', value: { revision: first.revision + 1 } });
  });

  it('tells which of the two was in the way: the object or a companion', async () => {
    const { etcd, store } = open();
    const address = { path: 'allocations/clusterips/10.0.0.1', put: Buffer.from('a'), ifAbsent: true } as const;
    const other = { ...address, path: 'allocations/clusterips/10.0.0.2' };
    await store.commit(writeOf('a', { companions: [address] }));
    await expect(store.commit(writeOf('b', { companions: [other, address] }))).rejects.toMatchObject({
      companion: address.path,
    });
    await expect(store.commit(writeOf('a', { companions: [address] }))).rejects.toMatchObject({ companion: null });
    expect(etcd.history(keys.registry(keyOf('b')))).toEqual([]);
    expect(etcd.history(keys.at(other.path))).toEqual([]);
  });

  it('lets two who want the same companion in one moment take turns', async () => {
    const { store } = open();
    const address = { path: 'allocations/clusterips/10.0.0.1', put: Buffer.from('a'), ifAbsent: true } as const;
    const outcomes = await Promise.allSettled([
      store.commit(writeOf('a', { companions: [address] })),
      store.commit(writeOf('b', { companions: [address] })),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });

  it('puts a copy of the record beside the object, and takes it away', async () => {
    const { etcd, store } = open();
    const path = 'nodes/n1/pods/default/a';
    const created = await store.commit(writeOf('a', { companions: [{ path, put: 'record' }] }));
    const [copy] = etcd.history(keys.at(path));
    expect(copy!.kv!.value).toEqual(etcd.history(keys.registry(keyOf('a')))[0]!.kv!.value);
    await store.commit({ ...deletionOf('a', created.revision), companions: [{ path, delete: true }] });
    expect(etcd.history(keys.at(path)).at(-1)!.kv).toBe(null);
  });

  it('leaves a tombstone under a lease where it deletes', async () => {
    const { etcd, store } = open();
    const created = await store.commit(writeOf('a'));
    const write = deletionOf('a', created.revision);
    const gone = await store.commit(write);
    expect({ ...gone, bytes: gone.bytes() }).toMatchObject({
      bytes: null,
      resourceVersion: versionOfWrite(gone.revision, 0),
    });
    const [stone] = etcd.history(keys.tombstone(write.key));
    expect(stone).toMatchObject({ revision: gone.revision, kv: { lease: '1' } });
    const { index, provenance: by } = decodeTombstone(stone!.kv!.value);
    expect({ index, by: decodeProvenance(by) }).toEqual({ index: gone.index, by: write.provenance });
  });

  it('refuses what makes no sense before it is sent', async () => {
    const { etcd, store } = open();
    const secret = writeOf('a', {
      confidential: ['data'],
      object: { kind: 'Secret', metadata: { name: 'a' }, data: {} },
    });
    await expect(store.commit(secret)).rejects.toThrow('no key to encrypt');
    await expect(store.commit(deletionOf('a', 0))).rejects.toThrow('needs the revision');
    const copied = { ...deletionOf('a', 1), companions: [{ path: 'nodes/n/pods/d/a', put: 'record' }] } as Write;
    await expect(store.commit(copied)).rejects.toThrow('no record');
    expect(etcd.transactions).toEqual([]);
  });

  it('pushes back when too much waits', async () => {
    const { etcd, store } = open();
    etcd.fate = () => 'refused';
    const writes = Array.from({ length: 10_001 }, (_, n) => store.commit(writeOf(`a${n}`)));
    await expect(writes.at(-1)).rejects.toMatchObject({ reason: 'TooManyRequests', details: { retryAfterSeconds: 1 } });
    etcd.fate = () => 'answered';
    await Promise.allSettled(writes);
  });
});

describe('a transaction that etcd refused', () => {
  it('is sent again while it was not applied for certain', async () => {
    const { etcd, store } = open();
    etcd.fate = fates('refused', 'refused');
    await store.commit(writeOf('a'));
    expect(etcd.transactions.length).toBe(3);
    expect(store.stats).toMatchObject({ retries: 2, unknownOutcomes: 0, writes: 1 });
  });

  it('is given up when that takes too long, with nothing changed', async () => {
    const { etcd, store, clock } = open();
    etcd.fate = () => 'refused';
    expect(await reasonOf(store.commit(writeOf('a')))).toBe('Timeout');
    expect(clock.ms).toBeGreaterThan(9_000);
    expect(etcd.keys).toEqual([]);
  });

  it.each([
    ['TooLarge', 'RequestEntityTooLarge'],
    ['NoSpace', 'ServiceUnavailable'],
    ['PermissionDenied', 'InternalError'],
  ] as const)('for %s is a %s', async (etcdReason, reason) => {
    const { etcd, store } = open();
    etcd.fate = () => {
      throw new EtcdError(etcdReason, 'refused', 'no');
    };
    expect(await reasonOf(store.commit(writeOf('a')))).toBe(reason);
  });

  it('for its size is sent in parts, so that one large write does not fail the others', async () => {
    const { etcd, store } = open();
    const big = 'b'.repeat(50_000);
    etcd.fate = (request: TxnRequest) => {
      const size = JSON.stringify(request).length;
      if (size > 100_000) throw new EtcdError('TooLarge', 'refused', 'request is too large');
      return 'answered';
    };
    const names = ['a', 'b', big, 'c', 'd'];
    const outcomes = await Promise.all(names.map((name) => reasonOf(store.commit(writeOf(name)))));
    expect(outcomes).toEqual(['resolved', 'resolved', 'RequestEntityTooLarge', 'resolved', 'resolved']);
  });

  it('because its lease is gone is sent again with a new one', async () => {
    const { etcd, store } = open();
    const { revision } = await store.commit(writeOf('a'));
    let lost = true;
    etcd.fate = () => {
      if (lost) {
        lost = false;
        throw new EtcdError('LeaseNotFound', 'refused', 'requested lease not found');
      }
      return 'answered';
    };
    await store.commit(deletionOf('a', revision));
    expect(etcd.history(keys.tombstone(keyOf('a')))[0]!.kv!.lease).toBe('2');
  });
});

describe('a transaction whose outcome is unknown', () => {
  it('is found in the log when only the answer was lost', async () => {
    const { etcd, store } = open();
    const { revision } = await store.commit(writeOf('a'));
    etcd.fate = fates('answerLost');
    const results = await Promise.all([store.commit(writeOf('b')), store.commit(deletionOf('a', revision))]);
    expect(etcd.transactions.length).toBe(2);
    expect(results.map(({ bytes, ...rest }) => ({ ...rest, deletes: bytes() === null }))).toMatchObject([
      { revision: revision + 1, index: 0, deletes: false },
      { revision: revision + 1, index: 1, deletes: true },
    ]);
  });

  it('is sent again when it never arrived', async () => {
    const { etcd, store } = open();
    etcd.fate = fates('requestLost');
    await store.commit(writeOf('a'));
    expect(etcd.transactions.length).toBe(2);
    expect(etcd.history(keys.registry(keyOf('a'))).length).toBe(1);
  });

  it('cannot be applied any more once it counts as lost, however late it arrives', async () => {
    const { etcd, store } = open();
    etcd.fate = fates('late');
    const created = await store.commit(writeOf('a'));
    await store.commit(deletionOf('a', created.revision));
    etcd.deliverLate();
    expect(etcd.history(keys.registry(keyOf('a'))).length).toBe(2);
  });

  it('tells a success from a conflict', async () => {
    const { etcd, store } = open();
    const other = openStore({ etcd, prefix: '/p', cipher: null, clock: new FakeClock() });
    const first = await store.commit(writeOf('a'));
    etcd.fate = fates('answerLost');
    let next: Promise<Committed> | undefined;
    etcd.interrupt = (call) => {
      // While ours is looked for, somebody else builds on it.
      if (call === 'put') next ??= other.commit(writeOf('a', { ifRevision: etcd.revision }));
    };
    const ours = await store.commit(writeOf('a', { ifRevision: first.revision }));
    expect(ours.revision).toBe(first.revision + 1);
    await next;
    etcd.fate = fates('requestLost');
    etcd.interrupt = () => {};
    await expect(store.commit(writeOf('a', { ifRevision: first.revision }))).rejects.toBeInstanceOf(WriteConflict);
  });

  it('is looked for until etcd answers again', async () => {
    const { etcd, store, clock } = open();
    etcd.fate = fates('answerLost');
    let failures = 50;
    etcd.interrupt = () => {
      if (failures-- > 0) throw new EtcdError('Unavailable', 'refused', 'away');
    };
    await store.commit(writeOf('a'));
    expect(clock.ms).toBeGreaterThan(20_000);
    expect(etcd.transactions.length).toBe(1);
  });

  it('does not keep those waiting that come behind it', async () => {
    const { etcd, store, clock } = open();
    etcd.fate = () => 'answerLost';
    let away = true;
    etcd.interrupt = () => {
      if (away) throw new EtcdError('Unavailable', 'refused', 'away');
    };
    const lost: Promise<Committed>[] = [];
    for (const name of ['a', 'b']) {
      lost.push(store.commit(writeOf(name)));
      await new Promise(setImmediate); // each in a transaction of its own, as many as there may be at once
    }
    const behind = Array.from({ length: 200 }, (_, at) => store.commit(writeOf(`c${at}`)));
    expect(new Set(await Promise.all(behind.map(reasonOf)))).toEqual(new Set(['Timeout']));
    expect(clock.ms).toBeLessThan(15_000);
    away = false;
    expect((await Promise.all(lost)).map(({ bytes }) => bytes() !== null)).toEqual([true, true]);
  });

  it('for lack of space is a failure only when it was not applied', async () => {
    const { etcd, store } = open();
    let applied = true;
    const real = etcd.txn.bind(etcd);
    etcd.txn = async (request) => {
      if (applied) await real(request);
      throw new EtcdError('NoSpace', 'unknown', 'etcdserver: mvcc: database space exceeded');
    };
    expect(await reasonOf(store.commit(writeOf('a')))).toBe('resolved');
    applied = false;
    expect(await reasonOf(store.commit(writeOf('b')))).toBe('ServiceUnavailable');
  });

  it('stays open where etcd has no space for the fence, and is told at once', async () => {
    const { etcd, store, clock } = open();
    etcd.fate = (request) => (JSON.stringify(request).includes('lost') ? 'requestLost' : 'answerLost');
    etcd.interrupt = (call) => {
      if (call === 'put') throw new EtcdError('NoSpace', 'unknown', 'etcdserver: mvcc: database space exceeded');
    };
    expect(await reasonOf(store.commit(writeOf('happened')))).toBe('resolved');
    expect(await reasonOf(store.commit(writeOf('lost')))).toBe('Timeout');
    expect(clock.ms).toBeLessThan(1_000);
  });

  it('says so when the log no longer tells', async () => {
    const { etcd, store } = open();
    const other = openStore({ etcd, prefix: '/p', cipher: null, clock: new FakeClock() });
    const first = await store.commit(writeOf('a'));
    etcd.fate = fates('answerLost');
    etcd.interrupt = (call) => {
      if (call !== 'put' || etcd.compacted > 0) return;
      etcd.compacted = Number.MAX_SAFE_INTEGER;
      void other.commit(writeOf('a', { ifRevision: etcd.revision }));
    };
    const outcome = await reasonOf(store.commit(writeOf('a', { ifRevision: first.revision })));
    expect(outcome).toBe('Timeout');
  });
});

describe('close', () => {
  it('waits for what is under way and refuses what comes later', async () => {
    const { store } = open();
    const writes = Array.from({ length: 300 }, (_, n) => store.commit(writeOf(`a${n}`)));
    await store.close();
    expect((await Promise.allSettled(writes)).every(({ status }) => status === 'fulfilled')).toBe(true);
    expect(await reasonOf(store.commit(writeOf('z')))).toBe('ServiceUnavailable');
  });

  it('ends even when etcd is away, and says of each write what it knows', async () => {
    const etcd = new MemoryEtcd();
    let limitReached = (): void => {};
    const clock = {
      nowMs: () => 0,
      pause: (delayMs: number, signal: AbortSignal) =>
        delayMs < 5_000
          ? new Promise<void>((resolve) => void setImmediate(resolve))
          : new Promise<void>((resolve) => {
              limitReached = resolve;
              signal.addEventListener('abort', () => resolve());
            }),
    };
    const store = openStore({ etcd, prefix: '/p', cipher: null, clock });
    etcd.fate = fates('answerLost');
    etcd.interrupt = () => {
      throw new EtcdError('Unavailable', 'refused', 'away');
    };
    const lost = store.commit(writeOf('a'));
    const message = lost.catch((error: Error) => error.message);
    await new Promise(setImmediate);
    etcd.fate = () => 'refused';
    const never = store.commit(writeOf('b')).catch((error: Error) => error.message);
    const closed = store.close();
    limitReached();
    await closed;
    expect(await message).toMatch('it could not be learned');
    expect(await never).toMatch('nothing was changed');
  });
});

/** What the writer of a request was told. */
interface Told {
  requestId: string;
  answer: Committed | 'conflict' | 'given up';
}

describe('whatever happens to transactions', () => {
  const FATES: readonly Fate[] = ['answered', 'refused', 'requestLost', 'answerLost', 'late'];

  it('every acknowledged write is in the log once, at its version, and no other is', async () => {
    const names = ['a', 'b', 'c'];
    const script = fc.record({
      fates: fc.array(fc.constantFrom(...FATES), { maxLength: 60 }),
      outages: fc.array(fc.boolean(), { maxLength: 60 }),
      writers: fc.array(fc.array(fc.constantFrom('put', 'delete', 'stale'), { maxLength: 12 }), { maxLength: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(script, async ({ fates: list, outages, writers }) => {
        const { etcd, store } = open();
        const nextFate = fates(...list);
        etcd.fate = () => {
          etcd.deliverLate();
          return nextFate();
        };
        const away = [...outages];
        etcd.interrupt = () => {
          if (away.shift()) throw new EtcdError('Unavailable', 'unknown', 'away');
        };
        const told: Told[] = [];
        await Promise.all(
          writers.map(async (steps, writer) => {
            for (const step of steps) {
              const name = names[(writer + told.length) % names.length]!;
              const current = etcd.history(keys.registry(keyOf(name))).at(-1);
              const revision = current?.kv?.modRevision ?? 0;
              const write =
                step === 'delete' && revision > 0
                  ? deletionOf(name, revision)
                  : writeOf(name, { ifRevision: step === 'stale' ? Math.max(0, revision - 1) : revision });
              const answer = await store.commit(write).catch((error: unknown) => {
                if (error instanceof WriteConflict) return 'conflict' as const;
                if (error instanceof StatusError && error.reason === 'Timeout') return 'given up' as const;
                throw error;
              });
              told.push({ requestId: write.provenance.requestId, answer });
            }
          }),
        );
        etcd.deliverLate();
        checkLog(etcd, names, told);
      }),
      { numRuns: 150 },
    );
  });
});

function checkLog(etcd: MemoryEtcd, names: readonly string[], told: readonly Told[]): void {
  const logged = new Map<string, string>();
  for (const name of names) {
    const stones = etcd.history(keys.tombstone(keyOf(name)));
    let last = -1;
    for (const { revision, kv } of etcd.history(keys.registry(keyOf(name)))) {
      const stone = stones.find((each) => each.revision === revision);
      const { index, requestId } = kv === null ? fromStone(stone!.kv!.value) : fromRecord(kv);
      expect(revision * 4_096 + index).toBeGreaterThan(last);
      last = revision * 4_096 + index;
      expect(logged.has(requestId)).toBe(false);
      logged.set(requestId, versionOfWrite(revision, index));
    }
  }
  for (const { requestId, answer } of told) {
    expect(logged.get(requestId)).toBe(typeof answer === 'string' ? undefined : answer.resourceVersion);
    logged.delete(requestId);
  }
  expect([...logged]).toEqual([]);
}

function fromStone(value: Buffer): { index: number; requestId: string } {
  const { index, provenance: by } = decodeTombstone(value);
  return { index, requestId: decodeProvenance(by).requestId };
}

function fromRecord(kv: Parameters<typeof decodeRecord>[0]): { index: number; requestId: string } {
  const { index, provenance: by } = decodeRecord(kv, keys, null);
  return { index, requestId: by.requestId };
}
