import type { NodeAffinity } from '@periplus/api';
import type { DynamicFilter, DynamicScore, StaticFilter, StaticScore, Weighted } from './plugin.ts';
import { dynamicResources } from './plugins/dynamic-resources.ts';
import { imageLocality } from './plugins/image-locality.ts';
import { interPodAffinity, preferredPodAffinity } from './plugins/inter-pod-affinity.ts';
import { nodeAffinity, preferredNodeAffinity } from './plugins/node-affinity.ts';
import { nodeName } from './plugins/node-name.ts';
import { nodePorts } from './plugins/node-ports.ts';
import { nodeResourcesFit } from './plugins/node-resources-fit.ts';
import { nodeUnschedulable } from './plugins/node-unschedulable.ts';
import { nodeVolumeLimits } from './plugins/node-volume-limits.ts';
import { podTopologySpread, preferredTopologySpread } from './plugins/pod-topology-spread.ts';
import {
  balancedAllocation,
  LEAST_ALLOCATED,
  resourceScoring,
  type ScoringStrategy,
  type WeightedResource,
} from './plugins/resource-scoring.ts';
import { preferredTaints, taintToleration } from './plugins/taint-toleration.ts';
import { volumeBinding } from './plugins/volume-binding.ts';
import { volumeRestrictions } from './plugins/volume-restrictions.ts';
import { volumeZone } from './plugins/volume-zone.ts';
import { type SpreadDefaults, SpreadRules, SYSTEM_DEFAULTS } from './spread-rules.ts';

export const SCHEDULER_NAME = 'default-scheduler';

/** What can be said of plugins beyond their weight. */
export interface PluginArgs {
  readonly addedAffinity?: NodeAffinity;
  readonly scoringStrategy: ScoringStrategy;
  readonly balancedResources?: readonly WeightedResource[];
  readonly spreadDefaults: SpreadDefaults;
  /** 0 to 100: what a pod that requires another's company is worth to that. */
  readonly hardPodAffinityWeight: number;
}

export const DEFAULT_ARGS: PluginArgs = {
  scoringStrategy: LEAST_ALLOCATED,
  spreadDefaults: SYSTEM_DEFAULTS,
  hardPodAffinityWeight: 1,
};

/** What a plugin does, where it has a say. */
interface PluginParts {
  readonly staticFilter?: StaticFilter;
  readonly dynamicFilter?: DynamicFilter;
  readonly staticScore?: StaticScore;
  readonly dynamicScore?: DynamicScore;
}

interface PluginEntry {
  /** Of its score; 0: it has none. */
  readonly weight: number;
  make(args: PluginArgs): PluginParts;
}

/**
 * The plugins, in the order in which they are asked, with the weights of kube-scheduler's default profile.
 * https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins
 */
const PLUGINS = {
  NodeUnschedulable: { weight: 0, make: () => ({ staticFilter: nodeUnschedulable }) },
  NodeName: { weight: 0, make: () => ({ staticFilter: nodeName }) },
  TaintToleration: {
    weight: 3,
    make: () => ({ staticFilter: taintToleration, staticScore: preferredTaints }),
  },
  NodeAffinity: {
    weight: 2,
    make: ({ addedAffinity }) => ({
      staticFilter: nodeAffinity(addedAffinity),
      staticScore: preferredNodeAffinity(addedAffinity),
    }),
  },
  NodePorts: { weight: 0, make: () => ({ dynamicFilter: nodePorts }) },
  NodeResourcesFit: {
    weight: 1,
    make: ({ scoringStrategy }) => ({
      dynamicFilter: nodeResourcesFit,
      dynamicScore: resourceScoring(scoringStrategy),
    }),
  },
  VolumeRestrictions: { weight: 0, make: () => ({ dynamicFilter: volumeRestrictions }) },
  NodeVolumeLimits: { weight: 0, make: () => ({ dynamicFilter: nodeVolumeLimits }) },
  VolumeBinding: { weight: 0, make: () => ({ dynamicFilter: volumeBinding }) },
  VolumeZone: { weight: 0, make: () => ({ dynamicFilter: volumeZone }) },
  PodTopologySpread: {
    weight: 2,
    make({ spreadDefaults }) {
      const rules = new SpreadRules(spreadDefaults);
      return { dynamicFilter: podTopologySpread(rules), dynamicScore: preferredTopologySpread(rules) };
    },
  },
  InterPodAffinity: {
    weight: 2,
    make: ({ hardPodAffinityWeight }) => ({
      dynamicFilter: interPodAffinity,
      dynamicScore: preferredPodAffinity(hardPodAffinityWeight),
    }),
  },
  DynamicResources: { weight: 0, make: () => ({ dynamicFilter: dynamicResources }) },
  NodeResourcesBalancedAllocation: {
    weight: 1,
    make: ({ balancedResources }) => ({ dynamicScore: balancedAllocation(balancedResources) }),
  },
  ImageLocality: { weight: 1, make: () => ({ dynamicScore: imageLocality }) },
} satisfies Record<string, PluginEntry>;

export type PluginName = keyof typeof PLUGINS;
export const PLUGIN_NAMES = Object.keys(PLUGINS) as PluginName[];

/** How pods that name this scheduler are decided about. */
export interface Profile {
  readonly schedulerName: string;
  readonly staticFilters: readonly StaticFilter[];
  readonly dynamicFilters: readonly DynamicFilter[];
  readonly staticScores: readonly Weighted<StaticScore>[];
  readonly dynamicScores: readonly Weighted<DynamicScore>[];
}

/** Which plugins have a say: weights of scores by name, `false` for none; a plugin that isn't named does as by default. */
interface ProfileChoice {
  readonly filters: Partial<Record<PluginName, boolean>>;
  readonly scores: Partial<Record<PluginName, number | false>>;
  readonly args: PluginArgs;
}

export function makeProfile(schedulerName: string, { filters, scores, args }: ProfileChoice): Profile {
  const profile = {
    schedulerName,
    staticFilters: [] as StaticFilter[],
    dynamicFilters: [] as DynamicFilter[],
    staticScores: [] as Weighted<StaticScore>[],
    dynamicScores: [] as Weighted<DynamicScore>[],
  };
  for (const name of PLUGIN_NAMES) {
    const { weight: usual, make }: PluginEntry = PLUGINS[name];
    const { staticFilter, dynamicFilter, staticScore, dynamicScore } = make(args);
    if (filters[name] !== false) {
      if (staticFilter) profile.staticFilters.push(staticFilter);
      if (dynamicFilter) profile.dynamicFilters.push(dynamicFilter);
    }
    const weight = scores[name] ?? usual;
    if (weight === false) continue;
    if (staticScore) profile.staticScores.push({ score: staticScore, weight });
    if (dynamicScore) profile.dynamicScores.push({ score: dynamicScore, weight });
  }
  return profile;
}

export const DEFAULT_PROFILE = makeProfile(SCHEDULER_NAME, { filters: {}, scores: {}, args: DEFAULT_ARGS });
