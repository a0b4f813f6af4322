import type { NodeAffinity } from '@periplus/api';
import { ConfigError, type ConfigReader } from '@periplus/component';
import type { ScoringStrategy, UtilizationPoint, WeightedResource } from './plugins/resource-scoring.ts';
import {
  DEFAULT_ARGS,
  makeProfile,
  PLUGIN_NAMES,
  type PluginArgs,
  type PluginName,
  type Profile,
  SCHEDULER_NAME,
} from './profile.ts';
import type { ConstraintOfPod } from './spread-constraint.ts';
import { type SpreadDefaults, SYSTEM_DEFAULTS } from './spread-rules.ts';

const API_VERSION = 'kubescheduler.config.k8s.io/v1';
const KIND = 'KubeSchedulerConfiguration';
const WEIGHT_MAX = 1_000_000;
const ALL = '*';

/**
 * The profiles of a KubeSchedulerConfiguration: which plugins have a say with which weight (`multiPoint`, `filter` and
 * `score`), and `pluginConfig` of those that can be told something. Throws ConfigError, also on what is not served.
 * https://kubernetes.io/docs/reference/config-api/kube-scheduler-config.v1/
 */
export function schedulingProfiles(reader: ConfigReader): Profile[] {
  reader.oneOf('apiVersion', [API_VERSION]);
  reader.oneOf('kind', [KIND]);
  const profiles = reader.has('profiles') ? reader.objects('profiles').map(profileOf) : [];
  if (profiles.length === 0) throw new ConfigError('profiles', 'must have at least one');
  const names = profiles.map(({ schedulerName }) => schedulerName);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new ConfigError('profiles', `must have one schedulerName each, not "${twice}" twice`);
  return profiles;
}

function profileOf(reader: ConfigReader): Profile {
  const choice: Choice = { filters: {}, scores: {} };
  if (reader.has('plugins')) {
    const plugins = reader.object('plugins');
    // What is said for one point goes before what is said for all.
    for (const point of ['multiPoint', 'filter', 'score'] as const) {
      if (plugins.has(point)) choosePlugins(plugins.object(point), point, choice);
    }
  }
  let args = DEFAULT_ARGS;
  for (const config of reader.has('pluginConfig') ? reader.objects('pluginConfig') : []) {
    const name = config.oneOf('name', Object.keys(ARGUMENTS) as ConfigurablePlugin[]);
    if (config.has('args')) args = { ...args, ...ARGUMENTS[name](argumentsOf(config)) };
  }
  return makeProfile(reader.string('schedulerName', SCHEDULER_NAME), { ...choice, args });
}

interface Choice {
  filters: Partial<Record<PluginName, boolean>>;
  scores: Partial<Record<PluginName, number | false>>;
}

function choosePlugins(reader: ConfigReader, point: 'multiPoint' | 'filter' | 'score', choice: Choice): void {
  for (const disabled of reader.has('disabled') ? reader.objects('disabled') : []) {
    const name = disabled.oneOf('name', [...PLUGIN_NAMES, ALL] as const);
    for (const one of name === ALL ? PLUGIN_NAMES : [name]) {
      if (point !== 'score') choice.filters[one] = false;
      if (point !== 'filter') choice.scores[one] = false;
    }
  }
  for (const enabled of reader.has('enabled') ? reader.objects('enabled') : []) {
    const name = enabled.oneOf('name', PLUGIN_NAMES);
    const weight = enabled.integer('weight', { min: 0, max: WEIGHT_MAX }, 0);
    if (point !== 'score') choice.filters[name] = true;
    // Without a weight, or with 0, it is 1.
    if (point !== 'filter') choice.scores[name] = weight || 1;
  }
}

type ConfigurablePlugin = keyof typeof ARGUMENTS;

/** `apiVersion` and `kind` of arguments say nothing that the plugin's name does not. */
function argumentsOf(config: ConfigReader): ConfigReader {
  const reader = config.object('args');
  reader.has('apiVersion');
  reader.has('kind');
  return reader;
}

const ARGUMENTS = {
  NodeResourcesFit: (reader: ConfigReader): Partial<PluginArgs> =>
    reader.has('scoringStrategy') ? { scoringStrategy: strategyOf(reader.object('scoringStrategy')) } : {},
  NodeResourcesBalancedAllocation: (reader: ConfigReader): Partial<PluginArgs> =>
    reader.has('resources') ? { balancedResources: resourcesOf(reader) } : {},
  PodTopologySpread: (reader: ConfigReader): Partial<PluginArgs> => ({ spreadDefaults: spreadDefaultsOf(reader) }),
  InterPodAffinity: (reader: ConfigReader): Partial<PluginArgs> => ({
    hardPodAffinityWeight: reader.integer('hardPodAffinityWeight', { min: 0, max: 100 }, 1),
  }),
  NodeAffinity: (reader: ConfigReader): Partial<PluginArgs> =>
    reader.has('addedAffinity') ? { addedAffinity: nodeAffinityOf(reader.object('addedAffinity')) } : {},
};

const resourcesOf = (reader: ConfigReader): WeightedResource[] =>
  reader.objects('resources').map((resource) => ({
    name: resource.string('name'),
    weight: resource.integer('weight', { min: 1, max: 100 }, 1),
  }));

function strategyOf(reader: ConfigReader): ScoringStrategy {
  const type = reader.oneOf('type', ['LeastAllocated', 'MostAllocated', 'RequestedToCapacityRatio'], 'LeastAllocated');
  const resources = reader.has('resources') ? resourcesOf(reader) : DEFAULT_ARGS.scoringStrategy.resources;
  if (type !== 'RequestedToCapacityRatio') return { type, resources };
  const points = reader.object('requestedToCapacityRatio').objects('shape');
  const shape = points.map(
    (point): UtilizationPoint => ({
      utilization: point.integer('utilization', { min: 0, max: 100 }),
      score: point.integer('score', { min: 0, max: 10 }),
    }),
  );
  const rises = shape.every(({ utilization }, at) => at === 0 || utilization > shape[at - 1]!.utilization);
  if (shape.length === 0 || !rises) {
    throw new ConfigError('requestedToCapacityRatio.shape', 'must have points in the order of their utilization');
  }
  return { type, resources, shape };
}

function spreadDefaultsOf(reader: ConfigReader): SpreadDefaults {
  const type = reader.oneOf('defaultingType', ['System', 'List'], 'System');
  const constraints = reader.has('defaultConstraints') ? reader.objects('defaultConstraints').map(constraintOf) : [];
  if (type === 'List') return { constraints, areSystems: false };
  if (constraints.length > 0) throw new ConfigError('defaultConstraints', 'need defaultingType List');
  return SYSTEM_DEFAULTS;
}

/** What the pods are that it is about follows from Services and controllers. */
const constraintOf = (reader: ConfigReader): ConstraintOfPod => ({
  topologyKey: reader.string('topologyKey'),
  maxSkew: reader.integer('maxSkew', { min: 1, max: 2 ** 31 - 1 }),
  whenUnsatisfiable: reader.oneOf('whenUnsatisfiable', ['DoNotSchedule', 'ScheduleAnyway']),
});

function nodeAffinityOf(reader: ConfigReader): NodeAffinity {
  const [required, preferred] = [
    'requiredDuringSchedulingIgnoredDuringExecution',
    'preferredDuringSchedulingIgnoredDuringExecution',
  ] as const;
  return {
    ...(reader.has(required) && {
      [required]: { nodeSelectorTerms: reader.object(required).objects('nodeSelectorTerms').map(nodeTermOf) },
    }),
    ...(reader.has(preferred) && {
      [preferred]: reader.objects(preferred).map((term) => ({
        weight: term.integer('weight', { min: 1, max: 100 }),
        preference: nodeTermOf(term.object('preference')),
      })),
    }),
  };
}

const nodeTermOf = (reader: ConfigReader) => ({
  matchExpressions: reader.has('matchExpressions') ? reader.objects('matchExpressions').map(requirementOf) : [],
  matchFields: reader.has('matchFields') ? reader.objects('matchFields').map(requirementOf) : [],
});

const requirementOf = (reader: ConfigReader) => ({
  key: reader.string('key'),
  operator: reader.oneOf('operator', ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt']),
  values: reader.strings('values', []),
});
