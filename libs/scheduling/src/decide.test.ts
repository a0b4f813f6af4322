import type { Node, Pod } from '@periplus/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decider, type Decision, feasibleEnough } from './decide.ts';
import { NodeTable } from './node-table.ts';
import { podInfo } from './pod-info.ts';
import { PodShapes } from './pod-shape.ts';
import { DEFAULT_PROFILE } from './profile.ts';
import { makeNode, makePod, onlyOn, webContainer } from './testing/objects.ts';

const GI = 2 ** 30;

const shapes = new PodShapes();
const infoOf = (pod: Pod) => podInfo(pod, shapes, 0);
const decide = (table: NodeTable, pod: Pod): Decision => new Decider(table, DEFAULT_PROFILE).decide(infoOf(pod));
const place = (table: NodeTable, pod: Pod, node: string): boolean =>
  table.place(pod.metadata.uid!, shapes.footprint(pod), node);

function tableOf(...nodes: Node[]): NodeTable {
  const table = new NodeTable();
  for (const node of nodes) table.setNode(node);
  return table;
}

describe('a pod that fits nowhere', () => {
  const cases: [string, Node[], Pod, string, string[]][] = [
    ['no nodes', [], makePod('a'), 'no nodes available to schedule pods', ['NodeAdded']],
    [
      'cordoned nodes',
      [makeNode('a', { spec: { unschedulable: true } })],
      makePod('a'),
      '0/1 nodes are available: 1 node(s) were unschedulable.',
      ['NodeAdded', 'NodeUnschedulable'],
    ],
    [
      'taints',
      [makeNode('a', { spec: { taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }] } })],
      makePod('a', { tolerations: [{ key: 'gpu', operator: 'Equal', value: 'no', effect: 'NoSchedule' }] }),
      '0/1 nodes are available: 1 node(s) had untolerated taint(s).',
      ['NodeAdded', 'NodeTaints'],
    ],
    [
      'labels',
      [makeNode('a'), makeNode('b')],
      makePod('a', { nodeSelector: { disk: 'ssd' } }),
      "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.",
      ['NodeAdded', 'NodeLabels'],
    ],
    [
      'several resources and another reason, each counted, in the order of their texts',
      [makeNode('a'), makeNode('b'), makeNode('c', { spec: { unschedulable: true } })],
      makePod('a', {}, { cpu: '3', memory: '8Gi', 'example.com/gpu': '1' }),
      '0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu, 2 Insufficient example.com/gpu, 2 Insufficient memory.',
      ['NodeAdded', 'NodeAllocatable', 'NodeUnschedulable', 'PodGone'],
    ],
    [
      'named nodes, of which one is there and is full',
      [makeNode('a', { allocatable: { pods: '0' } }), makeNode('b'), makeNode('c')],
      makePod('a', { affinity: onlyOn('a', 'gone') }),
      "0/3 nodes are available: 1 Too many pods, 2 node(s) didn't satisfy plugin(s) [NodeAffinity].",
      ['NodeAdded', 'NodeAllocatable', 'PodGone'],
    ],
    [
      'a node that is asked for by its name',
      [makeNode('a')],
      makePod('a', { nodeName: 'b' }),
      "0/1 nodes are available: 1 node(s) didn't match the requested node name.",
      ['NodeAdded'],
    ],
    [
      'devices, of which nobody gives any',
      [makeNode('a'), makeNode('b')],
      makePod('a', { resourceClaims: [{ name: 'gpu', resourceClaimName: 'one-gpu' }] }),
      '0/2 nodes are available: could not find ResourceClaim "default/one-gpu".',
      ['DevicesChanged', 'NodeAdded', 'NodeLabels'],
    ],
    [
      'devices by a template, of which nobody makes claims',
      [makeNode('a')],
      makePod('a', { resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 'one-gpu' }] }),
      '0/1 nodes are available: pod "default/a": ResourceClaim not created yet.',
      ['DevicesChanged', 'NodeAdded', 'NodeLabels'],
    ],
    [
      'no room for one more pod',
      [makeNode('a', { allocatable: { pods: '0' } })],
      makePod('a'),
      '0/1 nodes are available: 1 Too many pods.',
      ['NodeAdded', 'NodeAllocatable', 'PodGone'],
    ],
  ];
  it.each(cases)('says why: %s', (_, nodes, pod, message, wakesOn) => {
    const decision = decide(tableOf(...nodes), pod);
    expect(decision).toMatchObject({ node: null, message });
    expect(decision.node === null && [...decision.wakesOn].sort()).toEqual(wakesOn);
  });

  it('says that a host port is taken', () => {
    const table = tableOf(makeNode('a'));
    const withPort = (name: string, hostIP?: string) => makePod(name, { containers: [webContainer(hostIP)] });
    place(table, withPort('first', '127.0.0.1'), 'a');
    expect(decide(table, withPort('second', '127.0.0.2'))).toEqual({ node: 'a' });
    expect(decide(table, withPort('third'))).toMatchObject({
      message: "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
    });
    table.displace('uid-first');
    expect(decide(table, withPort('third'))).toEqual({ node: 'a' });
  });
});

describe('the choice among nodes that fit', () => {
  it('prefers the emptier node', () => {
    const table = tableOf(makeNode('full'), makeNode('empty'));
    place(table, makePod('other', {}, { cpu: '1', memory: '1Gi' }), 'full');
    expect(decide(table, makePod('a', {}, { cpu: '100m' }))).toEqual({ node: 'empty' });
  });

  it('prefers nodes of the preferred affinity, and ones without PreferNoSchedule taints', () => {
    const prefer = (value: string, weight: number) => ({
      weight,
      preference: { matchExpressions: [{ key: 'zone', operator: 'In', values: [value] }] },
    });
    const nodeAffinity = { preferredDuringSchedulingIgnoredDuringExecution: [prefer('one', 10), prefer('two', 90)] };
    const table = tableOf(makeNode('a', { labels: { zone: 'one' } }), makeNode('b', { labels: { zone: 'two' } }));
    expect(decide(table, makePod('p', { affinity: { nodeAffinity } }))).toEqual({ node: 'b' });
    const tainted = tableOf(
      makeNode('c', { spec: { taints: [{ key: 'old', effect: 'PreferNoSchedule' }] } }),
      makeNode('d'),
    );
    expect(decide(tainted, makePod('p'))).toEqual({ node: 'd' });
  });

  it.each([
    ['In', ['5'], true],
    ['NotIn', ['5'], false],
    ['Exists', undefined, true],
    ['DoesNotExist', undefined, false],
    ['Gt', ['4'], true],
    ['Gt', ['5'], false],
    ['Lt', ['10'], true],
    ['Lt', ['x'], false],
  ])('understands the operator %s %j', (operator, values, fits) => {
    const required = { nodeSelectorTerms: [{ matchExpressions: [{ key: 'rank', operator, values }] }] };
    const pod = makePod('p', {
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } },
    });
    expect(decide(tableOf(makeNode('a', { labels: { rank: '5' } })), pod).node).toBe(fits ? 'a' : null);
  });

  it('looks at a node again when it has changed', () => {
    const table = tableOf(makeNode('a', { spec: { unschedulable: true } }));
    const decider = new Decider(table, DEFAULT_PROFILE);
    expect(decider.decide(infoOf(makePod('p'))).node).toBeNull();
    table.setNode(makeNode('a'));
    expect(decider.decide(infoOf(makePod('p'))).node).toBe('a');
  });

  it('finds the one node that the pod of a DaemonSet names, among any number', () => {
    const table = tableOf(...Array.from({ length: 300 }, (_, at) => makeNode(`n${at}`)));
    const decider = new Decider(table, DEFAULT_PROFILE);
    const decided = [299, 0, 150].map(
      (at) => decider.decide(infoOf(makePod('p', { affinity: onlyOn(`n${at}`) }))).node,
    );
    expect(decided).toEqual(['n299', 'n0', 'n150']);
  });

  it('goes on preferring when many other pods were looked at meanwhile', () => {
    const preference = { matchExpressions: [{ key: 'zone', operator: 'In', values: ['b'] }] };
    const nodeAffinity = { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference }] };
    const nodes = ['a', 'b', 'c', 'd'].map((zone) => makeNode(zone, { labels: { zone } }));
    const decider = new Decider(tableOf(...nodes), DEFAULT_PROFILE);
    const decided = ['p', 'q', 'r', 's'].map((name) => {
      for (let other = 0; other < 100; other += 1) {
        decider.refusedBy(infoOf(makePod('x', { nodeSelector: { other: `${other}` } })).shape, 'a');
      }
      return decider.decide(infoOf(makePod(name, { affinity: { nodeAffinity } }))).node;
    });
    expect(decided).toEqual(['b', 'b', 'b', 'b']);
  });

  it('does not take a preference for nothing as one for everything', () => {
    const preferences = [
      { weight: 100, preference: {} },
      { weight: 1, preference: { matchExpressions: [{ key: 'disk', operator: 'Exists' }] } },
    ];
    const affinity = { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferences } };
    const table = tableOf(makeNode('a'), makeNode('b', { labels: { disk: 'ssd' } }));
    expect(decide(table, makePod('p', { affinity }))).toEqual({ node: 'b' });
  });

  it('says the same again for as long as nothing has loosened, and looks again as soon as something has', () => {
    const table = tableOf(makeNode('a', { allocatable: { cpu: '1' } }));
    const decider = new Decider(table, DEFAULT_PROFILE);
    place(table, makePod('first', {}, { cpu: '1' }), 'a');
    const refusal = decider.decide(infoOf(makePod('p', {}, { cpu: '1' })));
    expect(refusal.node).toBeNull();
    expect(decider.decide(infoOf(makePod('q', {}, { cpu: '1' })))).toBe(refusal);
    table.displace('uid-first');
    expect(decider.decide(infoOf(makePod('p', {}, { cpu: '1' })))).toEqual({ node: 'a' });
  });

  it('counts a pod anew that takes more or less than before, and takes away what it took', () => {
    const table = tableOf(makeNode('a', { allocatable: { cpu: '2', 'example.com/gpu': '1' } }));
    const slot = table.slot('a')!;
    place(table, makePod('p', { containers: [webContainer()] }, {}), 'a');
    place(table, makePod('p', {}, { cpu: '2', 'example.com/gpu': '1' }), 'a');
    expect([table.pods[slot], table.requestedCpu[slot], table.hostPorts[slot]]).toEqual([1, 2_000, []]);
    expect(table.displace('uid-p')).toMatchObject({ node: 'a' });
    expect([table.pods[slot], table.requestedCpu[slot]]).toEqual([0, 0]);
    expect(decide(table, makePod('q', {}, { 'example.com/gpu': '1' }))).toEqual({ node: 'a' });
    expect(table.displace('uid-p')).toBeUndefined();
  });

  it('forgets a removed node, and counts its pods again when it comes back', () => {
    const table = tableOf(makeNode('a', { allocatable: { pods: '1' } }));
    place(table, makePod('old'), 'a');
    table.removeNode('a');
    expect(table.size).toBe(0);
    table.setNode(makeNode('a', { allocatable: { pods: '1' } }));
    expect(decide(table, makePod('new'))).toMatchObject({ message: '0/1 nodes are available: 1 Too many pods.' });
  });
});

it('looks at fewer nodes the more there are', () => {
  expect([0, 50, 100, 200, 1_000, 5_000, 15_000].map((nodes) => feasibleEnough(nodes))).toEqual([
    0, 50, 100, 100, 420, 500, 750,
  ]);
});

const arbitraryRun = fc.record({
  nodes: fc.array(
    fc.record({
      cpu: fc.integer({ min: 0, max: 8 }),
      gi: fc.integer({ min: 0, max: 8 }),
      pods: fc.integer({ min: 0, max: 5 }),
    }),
    { maxLength: 12 },
  ),
  pods: fc.array(
    fc.record({
      cpu: fc.integer({ min: 0, max: 6_000 }),
      gi: fc.integer({ min: 0, max: 6 }),
      port: fc.constantFrom(0, 0, 80, 81),
    }),
    { maxLength: 40 },
  ),
});

type Run = typeof arbitraryRun extends fc.Arbitrary<infer R> ? R : never;

function play({ nodes, pods }: Run): { table: NodeTable; placed: (string | null)[] } {
  const table = tableOf(
    ...nodes.map(({ cpu, gi, pods }, at) =>
      makeNode(`n${at}`, { allocatable: { cpu: `${cpu}`, memory: `${gi}Gi`, pods: `${pods}` } }),
    ),
  );
  const decider = new Decider(table, DEFAULT_PROFILE);
  const placed = pods.map(({ cpu, gi, port }, at) => {
    const ports = port > 0 ? [{ containerPort: port, hostPort: port }] : [];
    const container = { name: 'a', image: 'a', ports, resources: { requests: { cpu: `${cpu}m`, memory: `${gi}Gi` } } };
    const info = infoOf(makePod(`p${at}`, { containers: [container] }));
    const { node } = decider.decide(info);
    if (node !== null) table.place(info.uid, info.shape, node);
    return node;
  });
  return { table, placed };
}

describe('whatever the pods and nodes', () => {
  it('never gives a node more than it has', () => {
    fc.assert(
      fc.property(arbitraryRun, (run) => {
        const { placed } = play(run);
        run.nodes.forEach((node, at) => {
          const mine = run.pods.filter((_, index) => placed[index] === `n${at}`);
          expect(mine.length).toBeLessThanOrEqual(node.pods);
          expect(mine.reduce((sum, pod) => sum + pod.cpu, 0)).toBeLessThanOrEqual(node.cpu * 1_000);
          expect(mine.reduce((sum, pod) => sum + pod.gi * GI, 0)).toBeLessThanOrEqual(node.gi * GI);
          const ports = mine.map((pod) => pod.port).filter((port) => port > 0);
          expect(new Set(ports).size).toBe(ports.length);
        });
      }),
    );
  });

  it('refuses a pod only when no node has room for it', () => {
    fc.assert(
      fc.property(arbitraryRun, (run) => {
        const { placed } = play(run);
        run.pods.forEach((pod, index) => {
          if (placed[index] !== null) return;
          const earlier = run.pods.slice(0, index);
          const fits = run.nodes.some((node, at) => {
            const mine = earlier.filter((_, other) => placed[other] === `n${at}`);
            const cpu = mine.reduce((sum, other) => sum + other.cpu, 0) + pod.cpu <= node.cpu * 1_000 || pod.cpu === 0;
            const memory = mine.reduce((sum, other) => sum + other.gi, 0) + pod.gi <= node.gi || pod.gi === 0;
            return (
              cpu &&
              memory &&
              mine.length < node.pods &&
              (pod.port === 0 || mine.every((other) => other.port !== pod.port))
            );
          });
          expect(fits).toBe(false);
        });
      }),
    );
  });

  it('decides the same when the same happens again', () => {
    fc.assert(
      fc.property(arbitraryRun, (run) => {
        expect(play(run).placed).toEqual(play(run).placed);
      }),
    );
  });
});

describe('what is remembered of nodes', () => {
  const change = fc.oneof(
    fc.record({
      do: fc.constant('place' as const),
      pod: fc.nat(7),
      node: fc.nat(3),
      cpu: fc.integer({ min: 1, max: 3 }),
    }),
    fc.record({ do: fc.constant('displace' as const), pod: fc.nat(7) }),
    fc.record({
      do: fc.constant('set' as const),
      node: fc.nat(3),
      cpu: fc.integer({ min: 1, max: 4 }),
      cordoned: fc.boolean(),
    }),
    fc.record({ do: fc.constant('remove' as const), node: fc.nat(3) }),
    fc.record({ do: fc.constant('decide' as const), cpu: fc.integer({ min: 1, max: 3 }) }),
  );

  it('leads to the same words as asking all of them anew', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const table = new NodeTable();
        const decider = new Decider(table, DEFAULT_PROFILE);
        for (const one of changes) {
          if (one.do === 'place') place(table, makePod(`p${one.pod}`, {}, { cpu: String(one.cpu) }), `n${one.node}`);
          else if (one.do === 'displace') table.displace(`uid-p${one.pod}`);
          else if (one.do === 'remove') table.removeNode(`n${one.node}`);
          else if (one.do === 'set') {
            const { node, cpu, cordoned } = one;
            table.setNode(
              makeNode(`n${node}`, { allocatable: { cpu: String(cpu) }, spec: { unschedulable: cordoned } }),
            );
          } else {
            const pod = makePod('asks', {}, { cpu: String(one.cpu) });
            const [now, anew] = [decider.decide(infoOf(pod)), decide(table, pod)];
            if (anew.node === null) expect(now).toEqual(anew);
            else expect(now.node).not.toBeNull();
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
