import { checkNodeAffinity, type NodeAffinity } from '@periplus/api';
import { type FieldError, FieldPath, goDurationMs, qualifiedName } from '@periplus/apimachinery';
import type { ConfigReader } from '@periplus/component';
import { DEVICE_LIMITS } from './devices/device-planner.ts';
import { DEFAULT_ARGS, type PluginArgs } from './plugin-catalog.ts';
import type { IgnoredResources } from './plugins/node-resources-fit.ts';
import type { ScoringStrategy, UtilizationPoint, WeightedResource } from './plugins/resource-scoring.ts';
import type { CandidateLimits } from './preemption/prospects.ts';
import type { ConstraintOfPod } from './spread-constraint.ts';
import { type SpreadDefaults, SYSTEM_DEFAULTS } from './spread-rules.ts';

const INTEGER_MAX = 2 ** 31 - 1;
/** Longer than any timer runs, in seconds. */
const BINDING_SECONDS_MAX = 2_000_000;
const SECOND_MS = 1_000;
/** Devices that are tried in a millisecond, at least; counted instead of time, so that decisions can be repeated. */
const STEPS_PER_MS = 100;

const RESOURCE_WEIGHTS = { min: 1, max: 100 };
/** A deviation knows no weights. */
const BALANCED_WEIGHTS = { min: 1, max: 1 };

/**
 * What `pluginConfig` may say of each plugin that can be told something; the defaults are kube-scheduler's.
 * https://kubernetes.io/docs/reference/config-api/kube-scheduler-config.v1/
 */
const ARGUMENTS = {
  DefaultPreemption: (reader: ConfigReader): Partial<PluginArgs> => ({ candidates: candidatesOf(reader) }),
  DynamicResources(reader: ConfigReader): Partial<PluginArgs> {
    const { stepsMax, readyMsMax } = DEVICE_LIMITS;
    // 0: no limit of its own.
    const steps = STEPS_PER_MS * durationMs(reader, 'filterTimeout', 0, 0) || stepsMax;
    const deviceLimits = {
      stepsMax: Math.min(steps, stepsMax),
      readyMsMax: durationMs(reader, 'bindingTimeout', SECOND_MS, readyMsMax),
    };
    return { deviceLimits };
  },
  InterPodAffinity: (reader: ConfigReader): Partial<PluginArgs> => ({
    hardPodAffinityWeight: reader.integer('hardPodAffinityWeight', { min: 0, max: 100 }, 1),
    ignoresOthersPreferences: reader.boolean('ignorePreferredTermsOfExistingPods', false),
  }),
  NodeAffinity: (reader: ConfigReader): Partial<PluginArgs> =>
    reader.has('addedAffinity') ? { addedAffinity: nodeAffinityOf(reader) } : {},
  NodeResourcesBalancedAllocation: (reader: ConfigReader): Partial<PluginArgs> =>
    reader.has('resources') ? { balancedResources: balancedResourcesOf(reader) } : {},
  NodeResourcesFit: (reader: ConfigReader): Partial<PluginArgs> => ({
    ignoredResources: ignoredResourcesOf(reader),
    ...(reader.has('scoringStrategy') && { scoringStrategy: strategyOf(reader.object('scoringStrategy')) }),
  }),
  PodTopologySpread: (reader: ConfigReader): Partial<PluginArgs> => ({ spreadDefaults: spreadDefaultsOf(reader) }),
  VolumeBinding: (reader: ConfigReader): Partial<PluginArgs> => ({
    volumeBindingMsMax: SECOND_MS * reader.integer('bindTimeoutSeconds', { min: 0, max: BINDING_SECONDS_MAX }, 600),
  }),
};

type ConfigurablePlugin = keyof typeof ARGUMENTS;
const CONFIGURABLE = Object.keys(ARGUMENTS) as ConfigurablePlugin[];

/** The arguments of a profile's plugins. Throws ConfigError. */
export function pluginArgs(profile: ConfigReader): PluginArgs {
  let args = DEFAULT_ARGS;
  const configured = new Set<ConfigurablePlugin>();
  for (const config of profile.has('pluginConfig') ? profile.objects('pluginConfig') : []) {
    const name = config.oneOf('name', CONFIGURABLE);
    if (configured.has(name)) throw config.error('name', `repeated config for plugin ${name}`);
    configured.add(name);
    if (config.has('args')) args = { ...args, ...ARGUMENTS[name](argumentsOf(config)) };
  }
  return args;
}

/** `apiVersion` and `kind` of arguments say nothing that the plugin's name does not. */
function argumentsOf(config: ConfigReader): ConfigReader {
  const reader = config.object('args');
  reader.has('apiVersion');
  reader.has('kind');
  return reader;
}

function durationMs(reader: ConfigReader, field: string, msMin: number, usual: number): number {
  if (!reader.has(field)) return usual;
  const ms = goDurationMs(reader.string(field));
  if (ms === undefined || ms < msMin) throw reader.error(field, `must be a duration of at least ${msMin / 1_000}s`);
  return ms;
}

function candidatesOf(reader: ConfigReader): CandidateLimits {
  const { percent, count } = DEFAULT_ARGS.candidates;
  const candidates = {
    percent: reader.integer('minCandidateNodesPercentage', { min: 0, max: 100 }, percent),
    count: reader.integer('minCandidateNodesAbsolute', { min: 0, max: INTEGER_MAX }, count),
  };
  if (candidates.percent === 0 && candidates.count === 0) {
    throw reader.error('minCandidateNodesPercentage', 'cannot be zero at the same time as minCandidateNodesAbsolute');
  }
  return candidates;
}

function ignoredResourcesOf(reader: ConfigReader): IgnoredResources {
  const names = reader.strings('ignoredResources', []);
  const groups = reader.strings('ignoredResourceGroups', []);
  for (const [field, values] of Object.entries({ ignoredResources: names, ignoredResourceGroups: groups })) {
    for (const problem of values.flatMap(qualifiedName)) throw reader.error(field, problem);
  }
  const group = groups.find((name) => name.includes('/'));
  if (group !== undefined) throw reader.error('ignoredResourceGroups', "resource group name can't contain '/'");
  return { names, groups };
}

const resourcesOf = (reader: ConfigReader, weights: { min: number; max: number }): WeightedResource[] =>
  reader.objects('resources').map((resource) => ({
    name: resource.string('name'),
    // 0 is as good as nothing said.
    weight: resource.integer('weight', { ...weights, min: 0 }, 1) || 1,
  }));

function balancedResourcesOf(reader: ConfigReader): WeightedResource[] | undefined {
  const resources = resourcesOf(reader, BALANCED_WEIGHTS);
  const names = resources.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw reader.error('resources', `must not have ${JSON.stringify(twice)} twice`);
  return resources.length > 0 ? resources : undefined;
}

function strategyOf(reader: ConfigReader): ScoringStrategy {
  const type = reader.oneOf('type', ['LeastAllocated', 'MostAllocated', 'RequestedToCapacityRatio'], 'LeastAllocated');
  const named = reader.has('resources') ? resourcesOf(reader, RESOURCE_WEIGHTS) : [];
  const resources = named.length > 0 ? named : DEFAULT_ARGS.scoringStrategy.resources;
  const isRatio = type === 'RequestedToCapacityRatio';
  if (isRatio !== reader.has('requestedToCapacityRatio')) {
    const problem = isRatio
      ? 'must be specified when type is RequestedToCapacityRatio'
      : 'must be nil when type is not RequestedToCapacityRatio';
    throw reader.error('requestedToCapacityRatio', problem);
  }
  return isRatio ? { type, resources, shape: shapeOf(reader.object('requestedToCapacityRatio')) } : { type, resources };
}

function shapeOf(reader: ConfigReader): UtilizationPoint[] {
  const shape = reader.objects('shape').map((point) => ({
    utilization: point.integer('utilization', { min: 0, max: 100 }),
    score: point.integer('score', { min: 0, max: 10 }),
  }));
  if (shape.length === 0) throw reader.error('shape', 'at least one point must be specified');
  const rises = shape.every(({ utilization }, at) => at === 0 || utilization > shape[at - 1]!.utilization);
  if (!rises) throw reader.error('shape', 'values must be sorted in increasing order');
  return shape;
}

function spreadDefaultsOf(reader: ConfigReader): SpreadDefaults {
  const type = reader.oneOf('defaultingType', ['System', 'List'], 'System');
  const constraints = reader.has('defaultConstraints') ? reader.objects('defaultConstraints').map(constraintOf) : [];
  const texts = constraints.map(({ topologyKey, whenUnsatisfiable }) => `{${topologyKey}, ${whenUnsatisfiable}}`);
  const twice = texts.find((text, at) => texts.indexOf(text) !== at);
  if (twice !== undefined) throw reader.error('defaultConstraints', `must not have ${twice} twice`);
  if (type === 'List') return { constraints, areSystems: false };
  if (constraints.length > 0) throw reader.error('defaultConstraints', 'need defaultingType List');
  return SYSTEM_DEFAULTS;
}

/** What the pods are that it is about follows from Services and controllers. */
function constraintOf(reader: ConfigReader): ConstraintOfPod {
  const topologyKey = reader.string('topologyKey');
  for (const problem of qualifiedName(topologyKey)) throw reader.error('topologyKey', problem);
  if (reader.has('labelSelector')) {
    throw reader.error('labelSelector', 'constraint must not define a selector, as they deduced for each pod');
  }
  return {
    topologyKey,
    maxSkew: reader.integer('maxSkew', { min: 1, max: INTEGER_MAX }),
    whenUnsatisfiable: reader.oneOf('whenUnsatisfiable', ['DoNotSchedule', 'ScheduleAnyway']),
  };
}

function nodeAffinityOf(args: ConfigReader): NodeAffinity {
  const reader = args.object('addedAffinity');
  const [required, preferred] = [
    'requiredDuringSchedulingIgnoredDuringExecution',
    'preferredDuringSchedulingIgnoredDuringExecution',
  ] as const;
  const affinity = {
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
  const problems: FieldError[] = [];
  checkNodeAffinity(problems, new FieldPath(), affinity);
  for (const { field, message } of problems) throw args.error(`addedAffinity.${field}`, message);
  return affinity;
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
