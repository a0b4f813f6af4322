import type { DeviceLimits } from './devices/device-planner.ts';
import type { DynamicFilter, DynamicScore, StaticFilter, StaticScore, Weighted } from './plugin.ts';
import { DEFAULT_ARGS, PLUGIN_NAMES, PLUGINS, type PluginArgs, type PluginSets } from './plugin-catalog.ts';
import { pluginSets } from './plugin-sets.ts';
import type { CandidateLimits } from './preemption/prospects.ts';

export const SCHEDULER_NAME = 'default-scheduler';

/** How pods that name this scheduler are decided about. */
export interface Profile {
  readonly schedulerName: string;
  readonly staticFilters: readonly StaticFilter[];
  readonly dynamicFilters: readonly DynamicFilter[];
  readonly staticScores: readonly Weighted<StaticScore>[];
  readonly dynamicScores: readonly Weighted<DynamicScore>[];
  /** 1 to 100: of how many nodes enough are found to choose among; 0: the more nodes there are, the fewer. */
  readonly feasiblePercent: number;
  /** Whether pods with scheduling gates wait until they are lifted. */
  readonly holdsGated: boolean;
  /** Whether pods of a gang wait for each other. */
  readonly holdsGangs: boolean;
  /** Whether pods wait until the claims of devices that they name are there. */
  readonly holdsUnclaimed: boolean;
  /** Whether claims are written before their pods are bound. */
  readonly bindsDevices: boolean;
  readonly deviceLimits: DeviceLimits;
  /** Whether claims that nobody uses may lose their devices, so that a pod fits elsewhere. */
  readonly deallocates: boolean;
  /** How long is searched for pods that may leave for others; null: nobody has to. */
  readonly preemption: CandidateLimits | null;
  /** How long the volumes of a pod may take to be bound before it is; null: they are not waited for. */
  readonly volumeBindingMsMax: number | null;
}

interface ProfileChoice {
  readonly sets?: PluginSets;
  readonly args?: PluginArgs;
  readonly feasiblePercent?: number;
}

/** What is not said is as by default. */
export function makeProfile(
  schedulerName: string,
  { sets = pluginSets(), args = DEFAULT_ARGS, feasiblePercent = 0 }: ProfileChoice = {},
): Profile {
  const profile = {
    schedulerName,
    staticFilters: [] as StaticFilter[],
    dynamicFilters: [] as DynamicFilter[],
    staticScores: [] as Weighted<StaticScore>[],
    dynamicScores: [] as Weighted<DynamicScore>[],
    feasiblePercent,
    holdsGated: sets.preEnqueue.has('SchedulingGates'),
    holdsGangs: sets.preEnqueue.has('GangScheduling'),
    holdsUnclaimed: sets.preEnqueue.has('DynamicResources'),
    bindsDevices: sets.preBind.has('DynamicResources'),
    deviceLimits: args.deviceLimits,
    deallocates: sets.postFilter.has('DynamicResources'),
    preemption: sets.postFilter.has('DefaultPreemption') ? args.candidates : null,
    volumeBindingMsMax: sets.preBind.has('VolumeBinding') ? args.volumeBindingMsMax : null,
  };
  for (const name of PLUGIN_NAMES) {
    const { staticFilter, dynamicFilter, staticScore, dynamicScore } = PLUGINS[name].make?.(args) ?? {};
    if (sets.filter.has(name)) {
      if (staticFilter) profile.staticFilters.push(staticFilter);
      if (dynamicFilter) profile.dynamicFilters.push(dynamicFilter);
    }
    const weight = sets.score.get(name);
    if (weight === undefined) continue;
    if (staticScore) profile.staticScores.push({ score: staticScore, weight });
    if (dynamicScore) profile.dynamicScores.push({ score: dynamicScore, weight });
  }
  return profile;
}

export const DEFAULT_PROFILE = makeProfile(SCHEDULER_NAME);
