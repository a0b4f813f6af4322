import type { Node, Pod } from '@periplus/api';
import type { Entry } from '@periplus/cache';
import { ConfigReader } from '@periplus/component';
import { describe, expect, it } from 'vitest';
import { type SchedulerSettings, schedulerSettings } from './configuration.ts';
import { Decider, feasibleEnough } from './decide.ts';
import { NodeTable } from './node-table.ts';
import { podInfo } from './pod-info.ts';
import { PodShapes } from './pod-shape.ts';
import { DEFAULT_PROFILE, type Profile } from './profile.ts';
import { makeNode, makePod } from './testing/objects.ts';

function readWhole(configuration: object): SchedulerSettings {
  const reader = new ConfigReader({
    apiVersion: 'kubescheduler.config.k8s.io/v1',
    kind: 'KubeSchedulerConfiguration',
    ...configuration,
  });
  const made = schedulerSettings(reader);
  reader.end();
  return made;
}
const read = (...profiles: object[]): readonly Profile[] => readWhole({ profiles }).profiles;
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
      'NodeDeclaredFeatures',
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
      DynamicResources: 2,
      NodeResourcesBalancedAllocation: 1,
      ImageLocality: 1,
    });
    expect(profile).toMatchObject({
      feasiblePercent: 0,
      holdsGated: true,
      holdsGangs: true,
      holdsUnclaimed: true,
      bindsDevices: true,
      deallocates: true,
      preemption: { percent: 10, count: 100 },
      volumeBindingMsMax: 600_000,
    });
  }
});

/** The plugins of kube-scheduler 1.36's default profile, and the one of gangs, where `multiPoint` names them. */
const DEFAULT_PLUGINS = [
  ...['SchedulingGates', 'PrioritySort', 'NodeUnschedulable', 'NodeName', 'TaintToleration', 'NodeAffinity'],
  ...['NodePorts', 'NodeResourcesFit', 'VolumeRestrictions', 'NodeVolumeLimits', 'VolumeBinding', 'VolumeZone'],
  ...[
    'PodTopologySpread',
    'InterPodAffinity',
    'DynamicResources',
    'GangScheduling',
    'DefaultPreemption',
    'NodeDeclaredFeatures',
  ],
  ...['NodeResourcesBalancedAllocation', 'ImageLocality', 'DefaultBinder'],
].map((name) => ({ name }));
const OUTCOMES = [
  ...(['holdsGated', 'holdsGangs', 'holdsUnclaimed', 'bindsDevices', 'deallocates'] as const),
  ...(['preemption', 'volumeBindingMsMax'] as const),
] as const;
const outcomes = (profile: Profile) => Object.fromEntries(OUTCOMES.map((field) => [field, profile[field]]));

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

  it('has no more than it names after all others are disabled', () => {
    const [all, few] = read(
      {
        schedulerName: 'all',
        plugins: { multiPoint: { disabled: [{ name: '*' }], enabled: [...DEFAULT_PLUGINS].reverse() } },
      },
      {
        schedulerName: 'few',
        plugins: {
          multiPoint: { disabled: [{ name: '*' }], enabled: [{ name: 'PrioritySort' }, { name: 'DefaultBinder' }] },
          filter: { enabled: [{ name: 'NodeName' }] },
        },
      },
    );
    expect(names(all!)).toEqual(names(DEFAULT_PROFILE));
    expect(outcomes(all!)).toEqual(outcomes(DEFAULT_PROFILE));
    // Without a weight it is 1, whatever it was by default.
    expect(new Set(Object.values(weights(all!)))).toEqual(new Set([1]));
    expect([names(few!), weights(few!)]).toEqual([['NodeName'], {}]);
    expect(outcomes(few!)).toEqual({
      holdsGated: false,
      holdsGangs: false,
      holdsUnclaimed: false,
      bindsDevices: false,
      deallocates: false,
      preemption: null,
      volumeBindingMsMax: null,
    });
  });

  it.each<[string, object, object]>([
    ['preEnqueue', { disabled: [{ name: 'SchedulingGates' }] }, { holdsGated: false }],
    ['postFilter', { disabled: [{ name: 'DefaultPreemption' }] }, { preemption: null }],
    ['postFilter', { disabled: [{ name: '*' }] }, { preemption: null, deallocates: false }],
    ['postFilter', { disabled: [{ name: '*' }], enabled: [{ name: 'DynamicResources' }] }, { preemption: null }],
    ['preBind', { disabled: [{ name: 'VolumeBinding' }] }, { volumeBindingMsMax: null }],
    ['preBind', { disabled: [{ name: 'DynamicResources' }] }, { bindsDevices: false }],
    ['preEnqueue', { disabled: [{ name: 'DynamicResources' }] }, { holdsUnclaimed: false }],
    ['multiPoint', { disabled: [{ name: 'SchedulingGates' }] }, { holdsGated: false }],
    ['preEnqueue', { disabled: [{ name: 'GangScheduling' }] }, { holdsGangs: false }],
    ['multiPoint', { disabled: [{ name: 'EBSLimits' }] }, {}],
    ['reserve', { disabled: [{ name: '*' }] }, {}],
    ['permit', { disabled: [{ name: '*' }] }, {}],
    ['postBind', { enabled: [] }, {}],
    ['queueSort', { disabled: [{ name: '*' }], enabled: [{ name: 'PrioritySort' }] }, {}],
    ['bind', { disabled: [{ name: '*' }], enabled: [{ name: 'DefaultBinder' }] }, {}],
  ])('does without what it disables at %s: %j', (point, set, changed) => {
    const [profile] = read({ plugins: { [point]: set } });
    expect(outcomes(profile!)).toEqual({ ...outcomes(DEFAULT_PROFILE), ...changed });
    expect(names(profile!)).toEqual(names(DEFAULT_PROFILE));
  });

  it.each([
    [{}, { stepsMax: 50_000, readyMsMax: 600_000 }],
    [
      { filterTimeout: '10s', bindingTimeout: '30s' },
      { stepsMax: 50_000, readyMsMax: 30_000 },
    ],
    [{ filterTimeout: '20ms' }, { stepsMax: 2_000, readyMsMax: 600_000 }],
    [{ filterTimeout: '0s' }, { stepsMax: 50_000, readyMsMax: 600_000 }],
  ])('says how long devices are searched and waited for: %j', (args, deviceLimits) => {
    expect(read(configured('DynamicResources', args))[0]).toMatchObject({ deviceLimits });
  });

  it('may have no profile, and says among how many nodes is chosen', () => {
    expect(readWhole({})).toEqual({ profiles: [DEFAULT_PROFILE], backoff: { msMin: 1_000, msMax: 10_000 } });
    expect(readWhole({ percentageOfNodesToScore: 30 }).profiles).toMatchObject([
      { schedulerName: 'default-scheduler', feasiblePercent: 30 },
    ]);
    const profiles = [{ schedulerName: 'one', percentageOfNodesToScore: 100 }, { schedulerName: 'two' }];
    const percents = readWhole({ percentageOfNodesToScore: 30, profiles }).profiles.map(
      (profile) => profile.feasiblePercent,
    );
    expect(percents).toEqual([100, 30]);
    expect([5_000, 200, 100].map((nodes) => feasibleEnough(nodes, 30))).toEqual([1_500, 100, 100]);
  });

  it('takes the arguments of all plugins that have any, as kube-scheduler writes them out', () => {
    const args = (kind: string, more: object) => ({
      name: kind,
      args: { apiVersion: 'kubescheduler.config.k8s.io/v1', kind: `${kind}Args`, ...more },
    });
    const resources = [
      { name: 'cpu', weight: 1 },
      { name: 'memory', weight: 1 },
    ];
    const [profile] = read({
      pluginConfig: [
        args('DefaultPreemption', { minCandidateNodesAbsolute: 5, minCandidateNodesPercentage: 20 }),
        args('DynamicResources', { filterTimeout: '10s', bindingTimeout: '10m0s' }),
        args('InterPodAffinity', { hardPodAffinityWeight: 1, ignorePreferredTermsOfExistingPods: true }),
        args('NodeAffinity', {}),
        args('NodeResourcesBalancedAllocation', { resources }),
        args('NodeResourcesFit', { scoringStrategy: { type: 'LeastAllocated', resources } }),
        args('PodTopologySpread', { defaultingType: 'System' }),
        args('VolumeBinding', { bindTimeoutSeconds: 30 }),
      ],
    });
    expect(profile).toMatchObject({ preemption: { percent: 20, count: 5 }, volumeBindingMsMax: 30_000 });
  });

  it('leaves extended resources to others that it ignores', () => {
    const [profile] = read(
      configured('NodeResourcesFit', { ignoredResources: ['a.io/gpu'], ignoredResourceGroups: ['b.io'] }),
    );
    const asking = (requests: Record<string, string>) => makePod('p', {}, requests);
    const ignored = asking({ 'a.io/gpu': '1', 'b.io/any': '1' });
    expect(decided(DEFAULT_PROFILE, [makeNode('a')], [], ignored)).toContain('Insufficient a.io/gpu');
    expect(decided(profile!, [makeNode('a')], [], ignored)).toBe('a');
    expect(decided(profile!, [makeNode('a')], [], asking({ 'a.io/nic': '1' }))).toContain('Insufficient a.io/nic');
    expect(decided(profile!, [makeNode('a')], [], asking({ cpu: '9', 'b.io/any': '1' }))).toContain('Insufficient cpu');
  });

  it('lets pods go where others would like them, unless it ignores that', () => {
    const term = { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'web' } } };
    const preferred = { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: term }] };
    const fan = makePod('fan', { affinity: { podAffinity: preferred } });
    const web = makePod('p', {}, { cpu: '100m' });
    const pod = { ...web, metadata: { ...web.metadata, labels: { app: 'web' } } } as Pod;
    const seeking = { ...pod, spec: { ...pod.spec, affinity: { podAffinity: preferred } } } as Pod;
    const score = { disabled: [{ name: '*' }], enabled: [{ name: 'InterPodAffinity', weight: 1 }] };
    const [minding, ignoring] = [false, true].map(
      (ignorePreferredTermsOfExistingPods) =>
        read({ plugins: { score }, ...configured('InterPodAffinity', { ignorePreferredTermsOfExistingPods }) })[0]!,
    );
    const nodes = ['a', 'b', 'c', 'd'].map((name) => makeNode(name));
    const among = (profile: Profile, one: Pod) =>
      new Set(
        Array.from({ length: 20 }, (_, at) =>
          decided(profile, nodes, [[fan, 'b']], { ...one, metadata: { ...one.metadata, uid: `uid-${at}` } } as Pod),
        ),
      );
    expect(among(minding!, pod)).toEqual(new Set(['b']));
    expect(among(ignoring!, pod).size).toBeGreaterThan(1);
    expect(among(ignoring!, seeking)).toEqual(new Set(['b']));
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

const enabling = (point: string, ...plugins: string[]) => ({
  plugins: { [point]: { enabled: plugins.map((name) => ({ name })) } },
});
const disabling = (point: string, name: string) => ({ plugins: { [point]: { disabled: [{ name }] } } });
const fit = (scoringStrategy: object) => configured('NodeResourcesFit', { scoringStrategy });
const ratio = (...shape: [number, number][]) =>
  fit({
    type: 'RequestedToCapacityRatio',
    requestedToCapacityRatio: { shape: shape.map(([utilization, score]) => ({ utilization, score })) },
  });
const spread = (...defaultConstraints: object[]) =>
  configured('PodTopologySpread', { defaultingType: 'List', defaultConstraints });
const ZONES = { topologyKey: 'zone', maxSkew: 1, whenUnsatisfiable: 'ScheduleAnyway' };
const added = (key: string, operator: string, values?: string[]) => {
  const terms = { nodeSelectorTerms: [{ matchExpressions: [{ key, operator, values }] }] };
  return configured('NodeAffinity', { addedAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } });
};

it.each<[string, object, string]>([
  ['an unknown filter', enabling('filter', 'Mine'), 'profiles[0].plugins: FilterPlugin "Mine" does not exist'],
  ['an unknown plugin', enabling('multiPoint', 'Mine'), 'profiles[0].plugins: PreFilterPlugin "Mine" does not exist'],
  [
    'a score of a plugin that has none',
    enabling('score', 'NodeName'),
    'profiles[0].plugins: plugin "NodeName" does not extend ScorePlugin plugin',
  ],
  [
    'a filter named twice',
    enabling('filter', 'NodeName', 'NodeName'),
    'plugin "NodeName" already registered as "FilterPlugin"',
  ],
  [
    'a plugin named twice',
    enabling('multiPoint', 'NodePorts', 'NodePorts'),
    'plugin "NodePorts" already registered as "PreFilterPlugin"',
  ],
  [
    'nothing that sorts the queue',
    disabling('queueSort', '*'),
    'only one queue sort plugin required for profile with scheduler name "default-scheduler", but got 0',
  ],
  [
    'nothing that binds',
    { schedulerName: 'mine', ...disabling('multiPoint', 'DefaultBinder') },
    'at least one bind plugin is needed for profile with scheduler name "mine"',
  ],
  ['an unknown extension point', { plugins: { sort: {} } }, 'profiles[0].plugins.sort: unknown field; known: bind, '],
  ['a share of nodes beyond all', { percentageOfNodesToScore: 101 }, 'must be a whole number from 0 to 100, not 101'],
  [
    'arguments of a plugin that has none',
    configured('NodeName', {}),
    'profiles[0].pluginConfig[0].name: must be one of DefaultPreemption, ',
  ],
  [
    'arguments given twice',
    {
      pluginConfig: [
        { name: 'NodeAffinity', args: {} },
        { name: 'NodeAffinity', args: {} },
      ],
    },
    'profiles[0].pluginConfig[1].name: repeated config for plugin NodeAffinity',
  ],
  [
    'a strategy that nobody knows',
    fit({ type: 'Best' }),
    'profiles[0].pluginConfig[0].args.scoringStrategy.type: must be one of LeastAllocated, ',
  ],
  ['a shape without order', ratio([50, 1], [50, 2]), 'shape: values must be sorted in increasing order'],
  ['a shape without points', ratio(), 'shape: at least one point must be specified'],
  [
    'a ratio without a shape',
    fit({ type: 'RequestedToCapacityRatio' }),
    'requestedToCapacityRatio: must be specified when type is RequestedToCapacityRatio',
  ],
  [
    'a shape without a ratio',
    fit({ requestedToCapacityRatio: {} }),
    'requestedToCapacityRatio: must be nil when type is not RequestedToCapacityRatio',
  ],
  [
    'a weight of a resource out of range',
    fit({ resources: [{ name: 'cpu', weight: 101 }] }),
    'must be a whole number from 0 to 100, not 101',
  ],
  [
    'resources of different weights in a balance',
    configured('NodeResourcesBalancedAllocation', { resources: [{ name: 'cpu', weight: 2 }] }),
    'must be a whole number from 0 to 1, not 2',
  ],
  [
    'a resource twice in a balance',
    configured('NodeResourcesBalancedAllocation', { resources: [{ name: 'cpu' }, { name: 'cpu' }] }),
    'resources: must not have "cpu" twice',
  ],
  [
    'a resource to ignore that can be none',
    configured('NodeResourcesFit', { ignoredResources: ['a b'] }),
    'profiles[0].pluginConfig[0].args.ignoredResources: ',
  ],
  [
    'a group of resources that is one resource',
    configured('NodeResourcesFit', { ignoredResourceGroups: ['a.io/b'] }),
    "resource group name can't contain '/'",
  ],
  [
    'default constraints that the system has already',
    configured('PodTopologySpread', { defaultConstraints: [ZONES] }),
    'need defaultingType List',
  ],
  ['a default constraint with a selector', spread({ ...ZONES, labelSelector: {} }), 'must not define a selector'],
  ['the same default constraint twice', spread(ZONES, ZONES), 'must not have {zone, ScheduleAnyway} twice'],
  ['a topology that can be none', spread({ ...ZONES, topologyKey: 'a b' }), 'defaultConstraints[0].topologyKey: '],
  [
    'a weight out of range',
    configured('InterPodAffinity', { hardPodAffinityWeight: 101 }),
    'must be a whole number from 0 to 100',
  ],
  [
    'added affinity to nothing',
    added('disk', 'In', []),
    "addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
  ],
  [
    'no candidates for preemption',
    configured('DefaultPreemption', { minCandidateNodesPercentage: 0, minCandidateNodesAbsolute: 0 }),
    'minCandidateNodesPercentage: cannot be zero at the same time as minCandidateNodesAbsolute',
  ],
  [
    'more candidates than nodes',
    configured('DefaultPreemption', { minCandidateNodesPercentage: 101 }),
    'must be a whole number from 0 to 100, not 101',
  ],
  ['a negative time', configured('VolumeBinding', { bindTimeoutSeconds: -1 }), 'must be a whole number from 0 to '],
  ['scoring of capacity', configured('VolumeBinding', { shape: [] }), 'args.shape: unknown field'],
  [
    'a time that is too short for devices',
    configured('DynamicResources', { bindingTimeout: '10ms' }),
    'bindingTimeout: must be a duration of at least 1s',
  ],
])('refuses %s', (_, profile, message) => {
  expect(() => read(profile)).toThrow(message);
});

it('says how soon is tried again, not sooner the second time than the first', () => {
  expect(readWhole({ podInitialBackoffSeconds: 2, podMaxBackoffSeconds: 60 }).backoff).toEqual({
    msMin: 2_000,
    msMax: 60_000,
  });
  expect(() => readWhole({ podInitialBackoffSeconds: 11 })).toThrow(
    'podMaxBackoffSeconds: must be greater than or equal to podInitialBackoffSeconds',
  );
  expect(() => readWhole({ podInitialBackoffSeconds: 0 })).toThrow('must be a whole number from 1 to 86400, not 0');
});

it('refuses two profiles of one name, and one of several without a name', () => {
  const one = { schedulerName: 'one' };
  expect(() => read(one, one)).toThrow('profiles[1].schedulerName: must be another one for each profile');
  expect(() => read(one, {})).toThrow('profiles[1].schedulerName: is required');
});
