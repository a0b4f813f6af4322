import {
  deviceClass,
  namespace as namespaceKind,
  node as nodeKind,
  type Pod,
  persistentVolumeClaim,
  podGroup,
  pod as podKind,
  resourceClaim,
  resourceSlice,
  service,
} from '@periplus/api';
import type { KubeObject } from '@periplus/apimachinery';
import { describe, expect, it } from 'vitest';
import { pluginSets } from '../plugin-sets.ts';
import { DEFAULT_PROFILE, makeProfile } from '../profile.ts';
import { makeClaim, makeClass, makeSlice } from '../testing/devices.ts';
import { makeNode, makePod } from '../testing/objects.ts';
import { type Explanation, explain } from './explain.ts';
import type { ReadObjects } from './read-cluster.ts';

const nodes = [
  makeNode('small', { allocatable: { cpu: '1' } }),
  makeNode('cordoned', { spec: { unschedulable: true } }),
  makeNode('busy', { allocatable: { cpu: '4' } }),
  makeNode('free', { allocatable: { cpu: '4' } }),
];
const other = makePod('other', { nodeName: 'busy' }, { cpu: '1' });

const objects = (kind: ReadObjects['kind'], ...items: object[]): ReadObjects => ({
  kind,
  items: items as KubeObject[],
});
const named = (name: string, more: object) => ({ metadata: { name, namespace: 'default' }, ...more });

/** Explains the last of the pods. */
function explained(of: typeof nodes, pods: Pod[], ...more: ReadObjects[]): Explanation {
  const read = [
    objects(nodeKind, ...of),
    objects(podKind, ...pods),
    objects(namespaceKind, { metadata: { name: 'default' } }),
  ];
  return explain(pods.at(-1)!, [...read, ...more], [DEFAULT_PROFILE]);
}

describe('what the nodes say', () => {
  it('is which filter refuses a pod on which node, and what each score gives to the others', () => {
    const pod = makePod('p', {}, { cpu: '2' });
    const { node, message, nodes: verdicts } = explained(nodes, [other, pod]);
    expect(node).toBeNull();
    expect(message).toBe('2/4 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable.');
    expect(verdicts.map(({ node, refusedBy }) => [node, refusedBy])).toEqual([
      ['free', null],
      ['busy', null],
      ['cordoned', { plugin: 'NodeUnschedulable', reasons: ['node(s) were unschedulable'] }],
      ['small', { plugin: 'NodeResourcesFit', reasons: ['Insufficient cpu'] }],
    ]);
    const [free, busy] = verdicts;
    expect(free!.total).toBeGreaterThan(busy!.total);
    expect(free!.scores.NodeResourcesFit).toBeGreaterThan(busy!.scores.NodeResourcesFit!);
  });

  it('is which node has no devices for its claims', () => {
    const resourceClaims = ['mine', 'other'].map((name) => ({ name, resourceClaimName: name }));
    const slices = objects(resourceSlice, makeSlice('busy', ['x']), makeSlice('free', ['x', 'y']));
    const claims = objects(resourceClaim, makeClaim('mine'), makeClaim('other'));
    const kinds = [objects(deviceClass, makeClass('gpu')), slices, claims];
    const { message, nodes: verdicts } = explained(nodes, [makePod('p', { resourceClaims })], ...kinds);
    expect(message).toBe('1/4 nodes are available: 1 node(s) were unschedulable, 2 cannot allocate all claims.');
    expect(verdicts.map(({ node, refusedBy }) => [node, refusedBy?.plugin])).toEqual([
      ['free', undefined],
      ['busy', 'DynamicResources'],
      ['cordoned', 'NodeUnschedulable'],
      ['small', 'DynamicResources'],
    ]);
    const missing = explained(nodes, [makePod('p', { resourceClaims })], ...kinds.slice(0, 2));
    expect(missing.message).toBe(
      '0/4 nodes are available: could not find ResourceClaim "default/mine". no new claims to deallocate, preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling.',
    );
  });

  it('takes a pod that has a node for one that has none, and does not count it where it is', () => {
    const pod = makePod('p', { nodeName: 'small' }, { cpu: '1' });
    const { node, nodes: verdicts } = explained(nodes, [other, pod]);
    expect(node).toBe('small');
    expect(verdicts.filter(({ refusedBy }) => refusedBy === null).map(({ node }) => node)).toContain('small');
  });

  it('is said of no nodes, and of all', () => {
    expect(explained([], [makePod('p')]).message).toBe('no nodes available to schedule pods');
    expect(explained(nodes.slice(2), [makePod('p')]).message).toBe('2/2 nodes are available.');
  });

  it('minds claims, and spreads the pods of a Service', () => {
    const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }];
    const claiming = makePod('p', { volumes });
    expect(explained(nodes, [claiming]).message).toMatch(
      /^0\/4 nodes are available: persistentvolumeclaim "data" not found\. no new claims to deallocate, preemption: /,
    );
    const lost = named('data', { spec: { volumeName: 'v' }, status: { phase: 'Lost' } });
    expect(explained(nodes, [claiming], objects(persistentVolumeClaim, lost)).message).toContain(
      'bound to non-existent persistentvolume "v"',
    );
    const web = (name: string, spec: object = {}): Pod => {
      const pod = makePod(name, spec);
      return { ...pod, metadata: { ...pod.metadata, labels: { app: 'web' } } } as Pod;
    };
    const two = nodes.slice(2);
    const pods = [web('first', { nodeName: 'busy' }), web('second')];
    const scoresOf = ({ nodes }: Explanation) => nodes.map(({ scores }) => scores.PodTopologySpread ?? 0);
    expect(scoresOf(explained(two, pods))).toEqual([0, 0]);
    const selecting = named('web', { spec: { selector: { app: 'web' } } });
    const [best, worse] = scoresOf(explained(two, pods, objects(service, selecting)));
    expect(best).toBeGreaterThan(worse!);
  });
});

describe('the profile', () => {
  const without = { enabled: [], disabled: ['NodeUnschedulable'] };
  const careless = makeProfile('careless', { sets: pluginSets({ filter: without }) });

  it('is the one that the pod names', () => {
    const pod = makePod('p', { schedulerName: 'careless' });
    const read = [objects(nodeKind, ...nodes), objects(podKind, pod)];
    expect(explain(pod, read, [DEFAULT_PROFILE, careless]).message).toBe('4/4 nodes are available.');
    expect(() => explain(pod, read, [DEFAULT_PROFILE])).toThrow('pod p is not for default-scheduler, but for careless');
  });
});

describe('preemption', () => {
  const full = [makeNode('a', { allocatable: { cpu: '1' } }), makeNode('b', { allocatable: { cpu: '1' } })];
  const on = (node: string, priority: number) => makePod(`on-${node}`, { nodeName: node, priority }, { cpu: '1' });
  const urgent = makePod('p', { priority: 100 }, { cpu: '1' });

  it('would help, and whom it would cost their place', () => {
    const { message, preemption } = explained(full, [on('a', 100), on('b', 1), urgent]);
    expect(message).toBe('0/2 nodes are available: 2 Insufficient cpu.');
    expect(preemption).toEqual([{ node: 'b', victims: ['default/on-b'] }]);
  });

  it('would not help, and why', () => {
    const { message, preemption } = explained(full, [on('a', 100), on('b', 200), urgent]);
    expect(preemption).toEqual([]);
    expect(message).toBe(
      '0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.',
    );
  });

  it('is no matter of a pod that has room, or a node', () => {
    expect(explained(full, [on('a', 1), urgent]).preemption).toEqual([]);
    const placed = makePod('p', { priority: 100, nodeName: 'a' }, { cpu: '1' });
    expect(explained(full, [on('b', 1), placed]).preemption).toEqual([]);
  });
});

describe('a pod that waits for others', () => {
  const member = (name: string) => makePod(name, { schedulingGroup: { podGroupName: 'gang' } }, { cpu: '3' });
  const gang = objects(podGroup, named('gang', { spec: { schedulingPolicy: { gang: { minCount: 3 } } } }));

  it('is told so', () => {
    const members = ['g1', 'g2', 'g3'].map(member);
    expect(explained(nodes, members).message).toBe(
      'waiting for pods\'s pod group "gang" to appear in scheduling queue',
    );
    expect(explained(nodes, members.slice(1), gang).message).toBe(
      'waiting for minCount pods from a gang to appear in scheduling queue',
    );
    expect(explained(nodes, members, gang).message).toMatch(
      /pod group gang needs nodes for 3 pods at once, 2 have one/,
    );
  });

  it('is told whom its gang would have leave', () => {
    const low = ['busy', 'free'].map((node) => makePod(`on-${node}`, { nodeName: node, priority: -1 }, { cpu: '4' }));
    const pair = objects(podGroup, named('gang', { spec: { schedulingPolicy: { gang: { minCount: 2 } } } }));
    const { preemption } = explained(nodes, [...low, member('g1'), member('g2')], pair);
    expect(preemption).toEqual([
      { node: 'busy', victims: ['default/on-busy'] },
      { node: 'free', victims: ['default/on-free'] },
    ]);
  });

  it('is told of its gates', () => {
    const message = 'Scheduling is blocked due to non-empty scheduling gates';
    const gated = makePod('p', { schedulingGates: [{ name: 'example.com/quota' }] });
    const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated', message }];
    expect(explained(nodes, [{ ...gated, status: { conditions } } as Pod]).message).toBe(message);
  });
});
