import type { ConfigReader } from '@periplus/component';
import { pluginArgs } from './plugin-args.ts';
import { EXTENSION_POINTS, type ExtensionPoint, type PluginSets } from './plugin-catalog.ts';
import { type ChosenSets, type PluginSet, pluginSets } from './plugin-sets.ts';
import { DEFAULT_PROFILE, makeProfile, type Profile, SCHEDULER_NAME } from './profile.ts';
import { type Backoff, DEFAULT_BACKOFF } from './scheduling-queue.ts';

const API_VERSION = 'kubescheduler.config.k8s.io/v1';
const KIND = 'KubeSchedulerConfiguration';
const WEIGHT_MAX = 2 ** 31 - 1;
const PERCENT = { min: 0, max: 100 };
/** A day. */
const BACKOFF_SECONDS = { min: 1, max: 86_400 };
const SECOND_MS = 1_000;

/** How a scheduler goes about its work. */
export interface SchedulerSettings {
  readonly profiles: readonly Profile[];
  readonly backoff: Backoff;
}

/**
 * What a KubeSchedulerConfiguration says: which plugins have a say where, with which weight and arguments, among how many
 * nodes is chosen, and how soon is tried again. Kubernetes' defaults where it says nothing. Throws ConfigError, also on
 * what is not served. https://kubernetes.io/docs/reference/config-api/kube-scheduler-config.v1/
 */
export function schedulerSettings(reader: ConfigReader): SchedulerSettings {
  reader.oneOf('apiVersion', [API_VERSION]);
  reader.oneOf('kind', [KIND]);
  return { profiles: profilesOf(reader), backoff: backoffOf(reader) };
}

function backoffOf(reader: ConfigReader): Backoff {
  const { msMin, msMax } = DEFAULT_BACKOFF;
  const [first, longest] = ['podInitialBackoffSeconds', 'podMaxBackoffSeconds'] as const;
  const min = reader.integer(first, BACKOFF_SECONDS, msMin / SECOND_MS);
  const max = reader.integer(longest, BACKOFF_SECONDS, msMax / SECOND_MS);
  if (max < min) throw reader.error(longest, `must be greater than or equal to ${first}`);
  return { msMin: min * SECOND_MS, msMax: max * SECOND_MS };
}

function profilesOf(reader: ConfigReader): Profile[] {
  const percent = reader.integer('percentageOfNodesToScore', PERCENT, 0);
  const readers = reader.has('profiles') ? reader.objects('profiles') : [];
  if (readers.length === 0)
    return [percent === 0 ? DEFAULT_PROFILE : makeProfile(SCHEDULER_NAME, { feasiblePercent: percent })];
  const isOnly = readers.length === 1;
  const profiles = readers.map((each) => profileOf(each, percent, isOnly));
  const names = profiles.map(({ schedulerName }) => schedulerName);
  const twice = names.findIndex((name, at) => names.indexOf(name) !== at);
  if (twice >= 0) {
    throw readers[twice]!.error('schedulerName', `must be another one for each profile, not "${names[twice]}" twice`);
  }
  return profiles;
}

/** Only a profile that stands alone may leave out its name. */
function profileOf(reader: ConfigReader, percent: number, isOnly: boolean): Profile {
  const schedulerName = reader.string('schedulerName', isOnly ? SCHEDULER_NAME : undefined);
  return makeProfile(schedulerName, {
    sets: setsOf(reader, schedulerName),
    args: pluginArgs(reader),
    feasiblePercent: reader.integer('percentageOfNodesToScore', PERCENT, percent),
  });
}

function setsOf(reader: ConfigReader, schedulerName: string): PluginSets {
  const chosen = reader.has('plugins') ? chosenSets(reader.object('plugins')) : {};
  const of = `for profile with scheduler name ${JSON.stringify(schedulerName)}`;
  let sets: PluginSets;
  try {
    sets = pluginSets(chosen);
  } catch (error) {
    throw reader.error('plugins', (error as Error).message);
  }
  const { size } = sets.queueSort;
  if (size !== 1) throw reader.error('plugins', `only one queue sort plugin required ${of}, but got ${size}`);
  if (sets.bind.size === 0) throw reader.error('plugins', `at least one bind plugin is needed ${of}`);
  return sets;
}

function chosenSets(plugins: ConfigReader): ChosenSets {
  const chosen: Partial<Record<ExtensionPoint | 'multiPoint', PluginSet>> = {};
  for (const point of ['multiPoint', ...EXTENSION_POINTS] as const) {
    if (plugins.has(point)) chosen[point] = setOf(plugins.object(point));
  }
  return chosen;
}

function setOf(reader: ConfigReader): PluginSet {
  const list = (field: string): ConfigReader[] => (reader.has(field) ? reader.objects(field) : []);
  return {
    enabled: list('enabled').map((plugin) => ({
      name: plugin.string('name'),
      weight: plugin.integer('weight', { min: 0, max: WEIGHT_MAX }, 0),
    })),
    // A weight says nothing of what is left out.
    disabled: list('disabled').map((plugin) => {
      plugin.has('weight');
      return plugin.string('name');
    }),
  };
}
