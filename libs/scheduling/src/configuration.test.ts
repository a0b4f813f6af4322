import type { Node, Pod } from '@periplus/api';
import type { Entry } from '@periplus/cache';
import { ConfigReader } from '@periplus/component';
import { describe, expect, it } from 'vitest';
import { schedulingProfiles } from './configuration.ts';
import { Decider } from './decide.ts';
import { NodeTable } from './node-table.ts';
import { podInfo } from './pod-info.ts';
import { PodShapes } from './pod-shape.ts';
import { DEFAULT_PROFILE, type Profile } from './profile.ts';
import { makeNode, makePod } from './testing/objects.ts';

function read(...profiles: object[]): Profile[] {
  const reader = new ConfigReader({
    apiVersion: 'kubescheduler.config.k8s.io/v1',
    kind: 'KubeSchedulerConfiguration',
    profiles,
  });
  const made = schedulingProfiles(reader);
  reader.end();
  return made;
}
const names = ({ staticFilters, dynamicFilters }: Profile) =>
  [...staticFilters, ...dynamicFilters].map(({ name }) => name);
const weights = ({ staticScores, dynamicScores }: Profile) =>
  Object.fromEntries([...staticScores, ...dynamicScores].map(({ score, weight }) => [score.name, weight]));
const configured = (name: string, args: object) => ({ pluginConfig: [{ name, args }] });

const shapes = new PodShapes();
/** Where the pod goes, among nodes that have these pods already. */
function decided(
  profile: Profile,
  nodes: Node[],
  placed: [Pod, string][] = [],
  pod = makePod('p', {}, { cpu: '100m' }),
) {
  const table = new NodeTable();
  for (const node of nodes) table.setNode(node);
  for (const [other, node] of placed) table.place(other.metadata.uid!, shapes.footprint(other), node);
  const decision = new Decider(table, profile).decide(podInfo(pod, shapes, 0));
  return decision.node ?? decision.message;
}

it('has the plugins and weights of kube-scheduler by default', () => {
  for (const profile of [DEFAULT_PROFILE, ...read({})]) {
    expect(profile.schedulerName).toBe('default-scheduler');
    expect(names(profile)).toEqual([
      'NodeUnschedulable',
      'NodeName',
      'TaintToleration',
      'NodeAffinity',
      'NodePorts',
      'NodeResourcesFit',
      'VolumeRestrictions',
      'NodeVolumeLimits',
      'VolumeBinding',
      'VolumeZone',
      'PodTopologySpread',
      'InterPodAffinity',
      'DynamicResources',
    ]);
    expect(weights(profile)).toEqual({
      TaintToleration: 3,
      NodeAffinity: 2,
      NodeResourcesFit: 1,
      PodTopologySpread: 2,
      InterPodAffinity: 2,
      NodeResourcesBalancedAllocation: 1,
      ImageLocality: 1,
    });
  }
});

describe('a configuration', () => {
  it('has profiles by name, each with plugins and weights of its own', () => {
    const [one, two] = read(
      { schedulerName: 'one', plugins: { score: { disabled: [{ name: '*' }], enabled: [{ name: 'ImageLocality' }] } } },
      {
        schedulerName: 'two',
        plugins: {
          multiPoint: { disabled: [{ name: 'InterPodAffinity' }, { name: 'TaintToleration' }] },
          filter: { enabled: [{ name: 'TaintToleration' }] },
          score: { disabled: [{ name: 'NodeAffinity' }], enabled: [{ name: 'NodeAffinity', weight: 7 }] },
        },
      },
    );
    expect([one!.schedulerName, two!.schedulerName]).toEqual(['one', 'two']);
    expect(names(one!)).toEqual(names(DEFAULT_PROFILE));
    expect(weights(one!)).toEqual({ ImageLocality: 1 });
    expect(names(two!)).toEqual(names(DEFAULT_PROFILE).filter((name) => name !== 'InterPodAffinity'));
    expect(weights(two!)).toMatchObject({ NodeAffinity: 7, NodeResourcesFit: 1 });
    expect(weights(two!)).not.toHaveProperty('TaintToleration');
  });

  it('fills nodes one after the other where it says so', () => {
    const nodes = [makeNode('a'), makeNode('b')];
    const placed: [Pod, string][] = [[makePod('other', {}, { cpu: '1', memory: '2Gi' }), 'a']];
    const [profile] = read(configured('NodeResourcesFit', { scoringStrategy: { type: 'MostAllocated' } }));
    expect(decided(DEFAULT_PROFILE, nodes, placed)).toBe('b');
    expect(decided(profile!, nodes, placed)).toBe('a');
  });

  it('keeps the pods of a profile on some nodes', () => {
    const term = { matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] };
    const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } };
    const [profile] = read(configured('NodeAffinity', { addedAffinity: required }));
    expect(decided(profile!, [makeNode('a'), makeNode('b', { labels: { disk: 'ssd' } })])).toBe('b');
    expect(decided(profile!, [makeNode('a')])).toBe(
      "0/1 nodes are available: 1 node(s) didn't match scheduler-enforced node affinity.",
    );
  });

  it('spreads no pods unasked where it lists no constraints', () => {
    const [profile] = read(configured('PodTopologySpread', { defaultingType: 'List', defaultConstraints: [] }));
    const table = new NodeTable();
    table.setNode(makeNode('a'));
    const key = { group: '', resource: 'services', namespace: 'default', name: 'all' };
    const bytes = Buffer.from(JSON.stringify({ spec: { selector: { app: 'web' } } }));
    table.workloads.set({ key, bytes } as unknown as Entry);
    const pod = makePod('p');
    const shape = shapes.of({ ...pod, metadata: { ...pod.metadata, labels: { app: 'web' } } } as Pod);
    const isSpread = ({ dynamicScores }: Profile): boolean =>
      dynamicScores
        .find(({ score }) => score.name === 'PodTopologySpread')!
        .score.score(shape, table, Int32Array.of(0), 1, new Float64Array(1));
    expect([isSpread(DEFAULT_PROFILE), isSpread(profile!)]).toEqual([true, false]);
  });
});

it.each<[string, object, string]>([
  [
    'an unknown plugin',
    { plugins: { filter: { disabled: [{ name: 'Mine' }] } } },
    'profiles[0].plugins.filter.disabled[0].name: must be one of',
  ],
  [
    'an extension point that is not served',
    { plugins: { bind: {} } },
    'profiles[0].plugins.bind: unknown field; known: filter, multiPoint, score',
  ],
  [
    'a strategy that nobody knows',
    configured('NodeResourcesFit', { scoringStrategy: { type: 'Best' } }),
    'profiles[0].pluginConfig[0].args.scoringStrategy.type: must be one of LeastAllocated, ',
  ],
  [
    'a shape without order',
    configured('NodeResourcesFit', {
      scoringStrategy: {
        type: 'RequestedToCapacityRatio',
        requestedToCapacityRatio: {
          shape: [
            { utilization: 50, score: 1 },
            { utilization: 50, score: 2 },
          ],
        },
      },
    }),
    'must have points in the order of their utilization',
  ],
  [
    'default constraints that the system has already',
    configured('PodTopologySpread', {
      defaultConstraints: [{ topologyKey: 'zone', maxSkew: 1, whenUnsatisfiable: 'ScheduleAnyway' }],
    }),
    'need defaultingType List',
  ],
  [
    'a weight out of range',
    configured('InterPodAffinity', { hardPodAffinityWeight: 101 }),
    'must be a whole number from 0 to 100',
  ],
])('refuses %s', (_, profile, message) => {
  expect(() => read(profile)).toThrow(message);
});

it('refuses two profiles of one name, and none at all', () => {
  expect(() => read({}, { schedulerName: 'default-scheduler' })).toThrow('not "default-scheduler" twice');
  expect(() => read()).toThrow('must have at least one');
});
