import type { NodeAffinity } from '@periplus/api';
import { DEVICE_LIMITS, type DeviceLimits } from './devices/device-planner.ts';
import type { DynamicFilter, DynamicScore, StaticFilter, StaticScore } from './plugin.ts';
import { dynamicResources, preferredAlternatives } from './plugins/dynamic-resources.ts';
import { imageLocality } from './plugins/image-locality.ts';
import { interPodAffinity, preferredPodAffinity } from './plugins/inter-pod-affinity.ts';
import { nodeAffinity, preferredNodeAffinity } from './plugins/node-affinity.ts';
import { nodeDeclaredFeatures } from './plugins/node-declared-features.ts';
import { nodeName } from './plugins/node-name.ts';
import { nodePorts } from './plugins/node-ports.ts';
import { type IgnoredResources, nodeResourcesFit } from './plugins/node-resources-fit.ts';
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
import { type CandidateLimits, DEFAULT_CANDIDATES } from './preemption/prospects.ts';
import { type SpreadDefaults, SpreadRules, SYSTEM_DEFAULTS } from './spread-rules.ts';

/**
 * Where plugins have a say, in the order in which kube-scheduler goes through them.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/scheduling-framework/#interfaces
 */
export const EXTENSION_POINTS = [
  ...(['preFilter', 'filter', 'postFilter', 'reserve', 'preScore', 'score', 'preBind', 'bind', 'postBind'] as const),
  ...(['permit', 'preEnqueue', 'queueSort'] as const),
] as const;
export type ExtensionPoint = (typeof EXTENSION_POINTS)[number];

/** What can be said of plugins beyond their weight. */
export interface PluginArgs {
  readonly addedAffinity?: NodeAffinity;
  readonly ignoredResources?: IgnoredResources;
  readonly scoringStrategy: ScoringStrategy;
  readonly balancedResources?: readonly WeightedResource[];
  readonly spreadDefaults: SpreadDefaults;
  /** 0 to 100: what a pod that requires another's company is worth to that. */
  readonly hardPodAffinityWeight: number;
  /** Pods that prefer no company themselves are not minded by those that would like theirs. */
  readonly ignoresOthersPreferences: boolean;
  readonly candidates: CandidateLimits;
  /** How long the volumes of a pod may take to be bound. */
  readonly volumeBindingMsMax: number;
  readonly deviceLimits: DeviceLimits;
}

export const DEFAULT_ARGS: PluginArgs = {
  scoringStrategy: LEAST_ALLOCATED,
  spreadDefaults: SYSTEM_DEFAULTS,
  hardPodAffinityWeight: 1,
  ignoresOthersPreferences: false,
  candidates: DEFAULT_CANDIDATES,
  volumeBindingMsMax: 600_000,
  deviceLimits: DEVICE_LIMITS,
};

/** What a plugin makes of nodes, where it has a say about them. */
interface PluginParts {
  readonly staticFilter?: StaticFilter;
  readonly dynamicFilter?: DynamicFilter;
  readonly staticScore?: StaticScore;
  readonly dynamicScore?: DynamicScore;
}

interface CataloguedPlugin {
  /** Where kube-scheduler's plugin of the name has a say. */
  readonly points: readonly ExtensionPoint[];
  /** Of its score; 1 where nothing is said. */
  readonly weight?: number;
  make?(args: PluginArgs): PluginParts;
}

const FILTERS = ['preFilter', 'filter'] as const;
const SCORES = ['preScore', 'score'] as const;

/**
 * The plugins, in the order in which they are asked, with the weights of kube-scheduler's default profile.
 * https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins
 */
const CATALOG = {
  SchedulingGates: { points: ['preEnqueue'] },
  PrioritySort: { points: ['queueSort'] },
  NodeUnschedulable: { points: ['filter'], make: () => ({ staticFilter: nodeUnschedulable }) },
  NodeName: { points: ['filter'], make: () => ({ staticFilter: nodeName }) },
  TaintToleration: {
    points: ['filter', ...SCORES],
    weight: 3,
    make: () => ({ staticFilter: taintToleration, staticScore: preferredTaints }),
  },
  NodeAffinity: {
    points: [...FILTERS, ...SCORES],
    weight: 2,
    make: ({ addedAffinity }) => ({
      staticFilter: nodeAffinity(addedAffinity),
      staticScore: preferredNodeAffinity(addedAffinity),
    }),
  },
  NodeDeclaredFeatures: { points: FILTERS, make: () => ({ staticFilter: nodeDeclaredFeatures }) },
  NodePorts: { points: FILTERS, make: () => ({ dynamicFilter: nodePorts }) },
  NodeResourcesFit: {
    points: [...FILTERS, ...SCORES],
    make: ({ ignoredResources, scoringStrategy }) => ({
      dynamicFilter: nodeResourcesFit(ignoredResources),
      dynamicScore: resourceScoring(scoringStrategy),
    }),
  },
  VolumeRestrictions: { points: FILTERS, make: () => ({ dynamicFilter: volumeRestrictions }) },
  NodeVolumeLimits: { points: FILTERS, make: () => ({ dynamicFilter: nodeVolumeLimits }) },
  VolumeBinding: {
    points: [...FILTERS, 'reserve', ...SCORES, 'preBind'],
    make: () => ({ dynamicFilter: volumeBinding }),
  },
  VolumeZone: { points: FILTERS, make: () => ({ dynamicFilter: volumeZone }) },
  PodTopologySpread: {
    points: [...FILTERS, ...SCORES],
    weight: 2,
    make({ spreadDefaults }) {
      const rules = new SpreadRules(spreadDefaults);
      return { dynamicFilter: podTopologySpread(rules), dynamicScore: preferredTopologySpread(rules) };
    },
  },
  InterPodAffinity: {
    points: [...FILTERS, ...SCORES],
    weight: 2,
    make: ({ hardPodAffinityWeight, ignoresOthersPreferences }) => ({
      dynamicFilter: interPodAffinity,
      dynamicScore: preferredPodAffinity(hardPodAffinityWeight, ignoresOthersPreferences),
    }),
  },
  DynamicResources: {
    points: [...FILTERS, 'postFilter', 'reserve', ...SCORES, 'preBind', 'preEnqueue'],
    weight: 2,
    make: ({ deviceLimits }) => ({
      dynamicFilter: dynamicResources(deviceLimits),
      dynamicScore: preferredAlternatives(deviceLimits),
    }),
  },
  GangScheduling: { points: ['permit', 'preEnqueue'] },
  DefaultPreemption: { points: ['postFilter', 'preEnqueue'] },
  NodeResourcesBalancedAllocation: {
    points: SCORES,
    make: ({ balancedResources }) => ({ dynamicScore: balancedAllocation(balancedResources) }),
  },
  ImageLocality: { points: ['score'], make: () => ({ dynamicScore: imageLocality }) },
  DefaultBinder: { points: ['bind'] },
} satisfies Record<string, CataloguedPlugin>;

export type PluginName = keyof typeof CATALOG;
export const PLUGINS: Readonly<Record<PluginName, CataloguedPlugin>> = CATALOG;
export const PLUGIN_NAMES = Object.keys(PLUGINS) as PluginName[];

/** At each extension point the plugins that have a say there, and the weights of their scores. */
export type PluginSets = Readonly<Record<ExtensionPoint, ReadonlyMap<PluginName, number>>>;
