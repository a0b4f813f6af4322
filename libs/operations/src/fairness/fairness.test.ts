import type { KubeObject } from '@periplus/apimachinery';
import type { Change } from '@periplus/cache';
import { afterEach, describe, expect, it } from 'vitest';
import { FLOW_SCHEMAS, flowControlObject, PRIORITY_LEVELS } from '../bootstrap/flow-control.ts';
import type { CacheReader } from '../cluster-state.ts';
import { Fairness } from './fairness.ts';
import type { FlowAttributes } from './flow-classifier.ts';
import { Seat, Waiting } from './priority-level.ts';

const GROUP = 'flowcontrol.apiserver.k8s.io';
let fairness: Fairness;
afterEach(() => fairness.close());

/** Objects of flow control, and nothing else but a thousand pods. */
class Objects {
  readonly flowschemas = new Map<string, object>();
  readonly prioritylevelconfigurations = new Map<string, object>();
  private listener: (revision: number, changes: readonly Change[]) => void = () => undefined;

  set(resource: 'flowschemas' | 'prioritylevelconfigurations', name: string, spec: object | null): void {
    const object = spec && (flowControlObject(name, spec) as KubeObject);
    if (object) this[resource].set(name, { ...object, metadata: { ...object.metadata, uid: `uid of ${name}` } });
    else this[resource].delete(name);
    this.listener(1, [{ entry: { key: { group: GROUP, resource } } } as unknown as Change]);
  }

  get cache(): CacheReader {
    return {
      subscribe: (listener: typeof this.listener) => {
        this.listener = listener;
        return () => undefined;
      },
      list: ({ resource }: { resource: 'flowschemas' | 'prioritylevelconfigurations' }) =>
        [...this[resource].values()].map((object) => ({ object })),
      count: ({ resource }: { resource: string }) => (resource === 'pods' ? 1_000 : 0),
    } as unknown as CacheReader;
  }
}

function withDefaults(): Objects {
  const objects = new Objects();
  for (const [name, spec] of Object.entries(PRIORITY_LEVELS)) objects.set('prioritylevelconfigurations', name, spec);
  for (const [name, spec] of Object.entries(FLOW_SCHEMAS)) objects.set('flowschemas', name, spec);
  fairness = new Fairness({ cache: objects.cache });
  return objects;
}

const user = (name: string, ...groups: string[]) => ({
  name,
  uid: '',
  groups: [...groups, 'system:authenticated'],
  extra: {},
});
const ask = (verb: string, resource: string, namespace = 'default', group = ''): FlowAttributes => ({
  ...{ isResource: true, verb, group, resource, subresource: '', namespace, path: '' },
});
const limits = () => Object.fromEntries([...fairness.priorityLevels()].map(({ level }) => [level.name, level.limit]));

describe('the default configuration', () => {
  it.each([
    [user('a', 'system:masters'), ask('list', 'pods'), 'exempt'],
    [
      user('system:node:n', 'system:nodes'),
      ask('update', 'leases', 'kube-node-lease', 'coordination.k8s.io'),
      'node-high',
    ],
    [user('system:node:n', 'system:nodes'), ask('get', 'pods'), 'system'],
    [user('system:kube-scheduler'), ask('update', 'leases', 'kube-system', 'coordination.k8s.io'), 'leader-election'],
    [user('system:kube-scheduler'), ask('list', 'pods', ''), 'workload-high'],
    [user('system:serviceaccount:kube-system:x', 'system:serviceaccounts'), ask('get', 'pods'), 'workload-high'],
    [user('system:serviceaccount:shop:x', 'system:serviceaccounts'), ask('get', 'pods'), 'workload-low'],
    [user('jane'), ask('get', 'pods'), 'global-default'],
  ] as const)('sends requests where Kubernetes does (%#)', (who, asked, expected) => {
    withDefaults();
    const flow = fairness.flowOf(who, asked);
    expect([flow.level.name, flow.level.uid]).toEqual([expected, `uid of ${expected}`]);
  });

  it('divides the seats by shares', () => {
    withDefaults();
    expect(limits()).toEqual({
      ...{ exempt: 600, 'catch-all': 13, system: 74, 'node-high': 98, 'leader-election': 25 },
      ...{ 'workload-high': 98, 'workload-low': 245, 'global-default': 49 },
    });
  });

  it('lends seats to who needs more, and takes them back', () => {
    withDefaults();
    const jane = user('jane');
    const flow = fairness.flowOf(jane, ask('get', 'pods'));
    const places = Array.from({ length: 200 }, () => fairness.enter(flow, jane, ask('get', 'pods'), 1));
    expect(places.filter((place) => place instanceof Waiting)).toHaveLength(151);
    fairness.adjust();
    expect(limits()['global-default']).toBeGreaterThan(100);
    expect(limits()['leader-election']).toBeGreaterThanOrEqual(25);
    expect(flow.level.executing).toBe(Math.min(200, flow.level.limit));
    const john = user('john', 'system:serviceaccounts');
    const low = fairness.flowOf(john, ask('get', 'pods'));
    for (let i = 0; i < 300; i++) fairness.enter(low, john, ask('get', 'pods'), 1);
    fairness.adjust();
    expect(low.level.limit).toBeGreaterThan(200);
  });
});

describe('fairness', () => {
  it('follows objects as they come, change and go, and ignores schemas whose level is missing', () => {
    const objects = withDefaults();
    const jane = user('jane');
    const level = () => fairness.flowOf(jane, ask('get', 'pods')).level.name;
    const schema = (name: string) => ({
      ...FLOW_SCHEMAS['global-default']!,
      matchingPrecedence: 5,
      priorityLevelConfiguration: { name },
    });
    objects.set('flowschemas', 'mine', schema('own'));
    expect(level()).toBe('global-default');
    objects.set('prioritylevelconfigurations', 'own', PRIORITY_LEVELS['leader-election']!);
    expect(level()).toBe('own');
    objects.set('prioritylevelconfigurations', 'own', null);
    expect(level()).toBe('global-default');
    objects.set('flowschemas', 'global-default', null);
    expect(level()).toBe('catch-all');
  });

  it('has a place for every request without any objects', () => {
    fairness = new Fairness({ cache: new Objects().cache });
    expect(fairness.flowOf(user('jane'), ask('get', 'pods'))).toMatchObject({ name: 'catch-all', uid: '' });
    expect(limits()).toEqual({ exempt: 600, 'catch-all': 600 });
  });

  it('makes long lists take more seats, and administrators one', () => {
    withDefaults();
    expect(fairness.widthOfList(ask('list', 'pods'), 0)).toBe(10);
    expect(fairness.widthOfList(ask('list', 'pods'), 250)).toBe(3);
    expect(fairness.widthOfList(ask('list', 'secrets'), 0)).toBe(1);
    const admin = user('admin', 'system:masters');
    const flow = fairness.flowOf(admin, ask('list', 'pods'));
    const seat = fairness.enter(flow, admin, ask('list', 'pods'), 10);
    expect(seat).toBeInstanceOf(Seat);
    expect(flow.level.executing).toBe(1);
  });
});
