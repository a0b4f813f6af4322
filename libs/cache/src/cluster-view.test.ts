import { builtinKinds } from '@periplus/api';
import { describe, expect, it } from 'vitest';
import { ClusterState } from './cluster-state.ts';
import { ClusterView } from './cluster-view.ts';
import { EventLog, podKey } from './event-log.ts';
import { Liveness } from './liveness.ts';
import type { Index } from './types.ts';

const kinds = builtinKinds();
const pod = kinds.byKind('', 'v1', 'Pod')!;
const service = kinds.byKind('', 'v1', 'Service')!;
const coreEvent = kinds.byKind('', 'v1', 'Event')!;
const event = kinds.byKind('events.k8s.io', 'v1', 'Event')!;
const byApp: Index = { name: 'app', kind: pod, keys: (object) => Object.values(object.metadata.labels ?? {}) };

function setUp(): { log: EventLog; state: ClusterState; view: ClusterView; liveness: Liveness } {
  const log = new EventLog();
  const silent = { info: () => {}, warn: () => {}, error: () => {} };
  const window = { changes: 10, bytes: 1_000 };
  const state = new ClusterState({
    ...{ keys: log.keys, cipher: null, indexes: [byApp], only: () => true, window, log: silent },
  });
  const liveness = new Liveness(log.keys);
  return { log, state, liveness, view: new ClusterView(state, liveness, 42) };
}
const names = (objects: Iterable<{ metadata: { name?: string } }>): string[] =>
  Array.from(objects, ({ metadata }) => metadata.name ?? '').sort();

describe('ClusterView', () => {
  it('finds objects by name, namespace, owner and index', () => {
    const { log, state, view } = setUp();
    const owned = { ...podKey('x', 's'), resource: 'services' };
    state.apply(
      log.commit(
        { key: podKey('x', '1'), labels: { app: 'a' }, owners: ['u1'] },
        { key: podKey('x', '2'), labels: { app: 'b' }, owners: ['u1', 'u2'] },
        { key: podKey('y', '1'), labels: { app: 'a' } },
        { key: owned, labels: {}, owners: ['u2'] },
      ),
    );
    expect(view).toMatchObject({ revision: 2, nowMs: 42 });
    expect(view.get(pod, 'x', '1')!.metadata.labels).toEqual({ app: 'a' });
    expect(view.get(pod, 'z', '1')).toBeUndefined();
    expect(names(view.list(pod))).toEqual(['1', '1', '2']);
    expect(names(view.list(pod, 'x'))).toEqual(['1', '2']);
    expect(names(view.owned(pod, 'u1'))).toEqual(['1', '2']);
    expect(names(view.owned(pod, 'u2'))).toEqual(['2']);
    expect(names(view.owned(service, 'u2'))).toEqual(['s']);
    expect(view.dependents('u2').map(({ key }) => key)).toEqual([podKey('x', '2'), owned]);
    expect(names(view.index(byApp, 'a'))).toEqual(['1', '1']);
    expect(view.entry(podKey('y', '1'))!.revision).toBe(2);
    expect([...view.entries()].length).toBe(4);
    expect([...view.entries({ group: '', resource: 'pods' }, 'y')].length).toBe(1);
    expect([...view.entries({ group: 'apps', resource: 'deployments' })]).toEqual([]);
  });

  it('follows what changes: owners and indexes too', () => {
    const { log, state, view } = setUp();
    state.apply(log.commit({ key: podKey('x', '1'), labels: { app: 'a' }, owners: ['u1'] }));
    expect(names(view.owned(pod, 'u1'))).toEqual(['1']);
    state.apply(log.commit({ key: podKey('x', '1'), labels: { app: 'b' }, owners: ['u2'] }));
    expect([names(view.owned(pod, 'u1')), names(view.owned(pod, 'u2'))]).toEqual([[], ['1']]);
    expect([names(view.index(byApp, 'a')), names(view.index(byApp, 'b'))]).toEqual([[], ['1']]);
    state.apply(log.commit({ key: podKey('x', '1'), labels: null }));
    expect([view.dependents('u2'), names(view.index(byApp, 'b')), names(view.list(pod))]).toEqual([[], [], []]);
  });

  it('gives a kind that is stored as another in its own form', () => {
    const { log, state, view } = setUp();
    state.apply(log.commit({ key: { group: '', resource: 'events', namespace: 'x', name: 'e' }, labels: {} }));
    expect(view.get(coreEvent, 'x', 'e')!.apiVersion).toBe('v1');
    expect(view.get(event, 'x', 'e')!.apiVersion).toBe('events.k8s.io/v1');
    expect(view.list(event).length).toBe(1);
  });

  it('knows the nodes that are alive, as of the last list and what came since', () => {
    const { log, view, liveness, state } = setUp();
    const told: string[] = [];
    const unsubscribe = liveness.subscribe((node, alive) => told.push(`${node} ${alive}`));
    const listOf = (...nodes: string[]): void => {
      const listing = liveness.list();
      listing.page(nodes.map((node) => log.put(log.keys.liveness(node), Buffer.from('x')).kv));
      listing.finish(5);
    };
    listOf('n1', 'n2');
    liveness.apply({ revision: 6, events: [log.expire(log.keys.liveness('n1'))] });
    expect(['n1', 'n2'].map((node) => view.alive(node))).toEqual([false, true]);
    listOf('n1', 'n3');
    expect(told).toEqual(['n1 true', 'n2 true', 'n1 false', 'n2 false', 'n1 true', 'n3 true']);
    unsubscribe();
    listOf();
    expect(told.length).toBe(6);
    expect(() => new ClusterView(state, null, 0).alive('n1')).toThrow('does not follow the liveness');
  });
});
