import { builtinKinds, type Kind } from '@periplus/api';
import type { DeepReadonly, KubeObject } from '@periplus/apimachinery';
import type { RevisionBatch } from '@periplus/etcd';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ObjectChange } from './cached-object.ts';
import { endOf } from './change-window.ts';
import { ClusterState, type StateOptions } from './cluster-state.ts';
import { EventLog, type LoggedWrite, podKey } from './event-log.ts';
import type { Index } from './types.ts';

const pod: Kind = builtinKinds().byKind('', 'v1', 'Pod')!;
const pods = { group: '', resource: 'pods' };
const byApp: Index = {
  ...{ name: 'app', kind: pod },
  keys: (object: DeepReadonly<KubeObject>) => [object.metadata.labels?.app ?? ''],
};

function stateOf(log: EventLog, of: Partial<StateOptions> = {}): ClusterState {
  const silent = { info: () => {}, warn: () => {}, error: () => {} };
  const window = { changes: 1_000, bytes: 1_000_000 };
  const state = new ClusterState({
    ...{ keys: log.keys, cipher: null, indexes: [byApp], only: () => true, window, log: silent },
    ...of,
  });
  relist(state, log);
  return state;
}

function relist(state: ClusterState, log: EventLog): ObjectChange[] {
  const listing = state.list();
  const kvs = log.list();
  for (let at = 0; at < kvs.length; at += 3) listing.page(kvs.slice(at, at + 3));
  return listing.finish(log.revision);
}

const shown = ({ type, entry, previous }: ObjectChange): unknown => [
  type,
  entry.path,
  entry.revision,
  entry.index,
  previous?.revision ?? 0,
];
/** Everything that can be asked of a state, to compare two of them. */
const contentOf = (state: ClusterState): unknown => ({
  objects: Array.from(state.objects(), ({ path, resourceVersion, object }) => ({ path, resourceVersion, object })),
  byApp: ['a', 'b', ''].map((app) => Array.from(state.index(byApp, app), ({ path }) => path).sort()),
  owned: ['u1', 'u2'].map((uid) => Array.from(state.owners.get(uid), ({ path }) => path).sort()),
});

const keysOfPods = fc
  .tuple(fc.constantFrom('x', 'y'), fc.constantFrom('1', '2', '3'))
  .map(([ns, name]) => podKey(ns, name));
const write = fc.record<LoggedWrite>({
  key: keysOfPods,
  labels: fc.oneof(fc.constant(null), fc.constantFrom({ app: 'a' }, { app: 'b' })) as fc.Arbitrary<
    LoggedWrite['labels']
  >,
  owners: fc.subarray(['u1', 'u2']),
});
const distinct = (writes: readonly LoggedWrite[]): LoggedWrite[] => [
  ...new Map(writes.map((each) => [JSON.stringify(each.key), each])).values(),
];

describe('ClusterState', () => {
  it('applies a revision as one: additions, changes and deletions, in the order of the writes', () => {
    const log = new EventLog();
    log.commit({ key: podKey('x', '1'), labels: { app: 'a' } }, { key: podKey('x', '2'), labels: {} });
    const state = stateOf(log);
    const batch = log.commit(
      { key: podKey('x', '2'), labels: null },
      { key: podKey('x', '1'), labels: { app: 'b' } },
      { key: podKey('x', '3'), labels: {} },
    );
    // A tombstone may come before or behind what it is about.
    const changes = state.apply({ ...batch, events: batch.events.toReversed() });
    expect(changes.map(shown)).toEqual([
      ['deleted', 'x/2', 3, 0, 2],
      ['modified', 'x/1', 3, 1, 2],
      ['added', 'x/3', 3, 2, 0],
    ]);
    expect(changes[0]!.entry.provenance.requestId).toBe('3.0');
    expect(changes[0]!.entry.object.metadata.resourceVersion).toBe(String(3 * 4_096));
    expect(changes[0]!.previous!.object.metadata.resourceVersion).toBe(String(2 * 4_096 + 1));
    expect(state.revision).toBe(3);
    expect(state.get(podKey('x', '2'))).toBeUndefined();
  });

  it('takes a deletion by hand for what it is', () => {
    const log = new EventLog();
    const key = podKey('x', '1');
    log.commit({ key, labels: {} });
    const state = stateOf(log);
    log.revision++;
    const [change] = state.apply({ revision: log.revision, events: [log.expire(log.keys.registry(key))] });
    expect(shown(change!)).toEqual(['deleted', 'x/1', 3, 4_095, 2]);
    expect(change!.entry.provenance).toEqual({ actor: '', verb: '', timeMs: 0, requestId: '', cause: null });
  });

  it('moves on over what is not an object', () => {
    const log = new EventLog();
    const state = stateOf(log);
    expect(state.apply(log.commit())).toEqual([]);
    expect(state.revision).toBe(2);
    const stone = log.keys.tombstone(podKey('x', '1'));
    expect(state.apply({ revision: 3, events: [log.expire(stone)] })).toEqual([]);
  });

  it('keeps what it knew of an object whose value cannot be read', () => {
    const log = new EventLog();
    const key = podKey('x', '1');
    log.commit({ key, labels: {} });
    const errors: unknown[] = [];
    const state = stateOf(log, {
      log: { info: () => {}, warn: () => {}, error: (fields) => errors.push(fields.etcdKey) },
    });
    log.revision++;
    const events = [log.put(log.keys.registry(key), Buffer.from('rubbish'))];
    expect(state.apply({ revision: log.revision, events })).toEqual([]);
    expect(state.get(key)!.revision).toBe(2);
    expect(errors).toEqual([log.keys.registry(key)]);
    relist(state, log);
    expect(state.get(key)!.revision).toBe(2);
  });

  it('holds only the resources that are wanted', () => {
    const log = new EventLog();
    const service = { group: '', resource: 'services', namespace: 'x', name: '1' };
    log.commit({ key: podKey('x', '1'), labels: {} }, { key: service, labels: {} });
    const state = stateOf(log, { only: ({ resource }) => resource === 'services' });
    expect(Array.from(state.objects(), ({ key }) => key)).toEqual([service]);
    expect(state.apply(log.commit({ key: podKey('x', '2'), labels: {} }))).toEqual([]);
  });

  it('gives out objects that nobody can change', () => {
    const log = new EventLog();
    log.commit({ key: podKey('x', '1'), labels: { app: 'a' } });
    const { object } = stateOf(log).get(podKey('x', '1'))!;
    expect(() => {
      (object.metadata.labels as { app: string }).app = 'b';
    }).toThrow();
  });

  it('refuses to look in an index that was not declared', () => {
    const state = stateOf(new EventLog(), { indexes: [] });
    expect(() => state.index(byApp, 'a')).toThrow('is not declared');
  });

  it('remembers the changes of each resource since its list', () => {
    const log = new EventLog();
    log.commit({ key: podKey('x', '1'), labels: {} });
    const state = stateOf(log);
    state.apply(log.commit({ key: { ...podKey('x', '1'), resource: 'services' }, labels: {} }));
    state.apply(log.commit({ key: podKey('x', '1'), labels: { app: 'a' } }));
    const services = state.table({ group: '', resource: 'services' })!.window;
    expect(services.since(endOf(2))!.length).toBe(1);
    expect(services.since(endOf(1))).toBeUndefined();
    expect(
      state
        .table(pods)!
        .window.since(endOf(2))!
        .map(({ entry }) => entry.revision),
    ).toEqual([4]);
  });
});

describe('a list after a gap', () => {
  it('leaves what has not changed as it is, and tells what has', () => {
    const log = new EventLog();
    log.commit(
      { key: podKey('x', 'same'), labels: {} },
      { key: podKey('x', 'changed'), labels: {} },
      { key: podKey('x', 'gone'), labels: {} },
      { key: podKey('x', 'replaced'), labels: {} },
      { key: podKey('x', 'forgotten'), labels: {} },
    );
    const state = stateOf(log);
    const same = state.get(podKey('x', 'same'))!;
    const replaced = podKey('x', 'replaced');
    log.commit({ key: podKey('x', 'changed'), labels: { app: 'a' } }, { key: podKey('x', 'gone'), labels: null });
    log.commit({ key: replaced, labels: null });
    log.commit({ key: podKey('x', 'forgotten'), labels: null });
    log.expire(log.keys.tombstone(podKey('x', 'forgotten')));
    log.commit({ key: replaced, labels: { app: 'b' } });
    log.commit({ key: podKey('x', 'new'), labels: {} });
    const changes = relist(state, log);
    expect(changes.map(shown)).toEqual([
      ['modified', 'x/changed', 3, 0, 2],
      ['deleted', 'x/gone', 3, 1, 2],
      ['deleted', 'x/replaced', 5, 4_095, 2],
      ['added', 'x/replaced', 6, 0, 0],
      ['added', 'x/new', 7, 0, 0],
      ['deleted', 'x/forgotten', 7, 4_095, 2],
    ]);
    expect(state.get(podKey('x', 'same'))).toBe(same);
    expect(state.revision).toBe(7);
    const { window } = state.table(pods)!;
    expect(window.since(endOf(6))).toBeUndefined();
    expect(window.since(endOf(7))).toEqual([]);
  });

  it('makes the state that following every event makes, and changes that lead there in order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.array(write, { maxLength: 4 })), { maxLength: 20 }), (script) => {
        const log = new EventLog();
        const [follower, gappy] = [stateOf(log), stateOf(log)];
        const told = new Map<string, string>();
        const tell = (changes: ObjectChange[]): void => {
          let last = -1;
          for (const { type, entry, previous } of changes) {
            const version = entry.revision * 4_096 + entry.index;
            expect(version).toBeGreaterThanOrEqual(last);
            last = version;
            expect(told.get(entry.path)).toBe(previous?.resourceVersion);
            expect(type).toBe(previous === null ? 'added' : type);
            if (type === 'deleted') told.delete(entry.path);
            else told.set(entry.path, entry.resourceVersion);
          }
        };
        void gappy.owners;
        let missed = false;
        for (const [lost, writes] of script) {
          const batch: RevisionBatch = log.commit(...distinct(writes));
          follower.apply(batch);
          if (missed || lost) missed = true;
          else tell(gappy.apply(batch));
          if (missed && !lost) {
            tell(relist(gappy, log));
            missed = false;
          }
        }
        tell(relist(gappy, log));
        expect(contentOf(gappy)).toEqual(contentOf(follower));
        expect(contentOf(gappy)).toEqual(contentOf(stateOf(log)));
        expect([...told].sort()).toEqual(Array.from(gappy.objects(), (o) => [o.path, o.resourceVersion]).sort());
      }),
      { numRuns: 200 },
    );
  });
});
