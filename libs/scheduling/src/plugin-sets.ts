import {
  EXTENSION_POINTS,
  type ExtensionPoint,
  PLUGIN_NAMES,
  PLUGINS,
  type PluginName,
  type PluginSets,
} from './plugin-catalog.ts';

const ALL = '*';

/** What a profile says of one extension point, or of all of them. */
export interface PluginSet {
  /** A weight of 0 is one of 1. */
  readonly enabled: readonly { readonly name: string; readonly weight: number }[];
  /** `*` stands for all. Names that nobody knows mean nothing. */
  readonly disabled: readonly string[];
}

export type ChosenSets = Partial<Record<ExtensionPoint | 'multiPoint', PluginSet>>;

const NOTHING_SAID: PluginSet = { enabled: [], disabled: [] };

/** As kube-scheduler's errors call the plugins of a point. */
const typeOf = (point: ExtensionPoint): string => `${point.charAt(0).toUpperCase()}${point.slice(1)}Plugin`;

const isDisabled = ({ disabled }: PluginSet, name: string): boolean =>
  disabled.includes(ALL) || disabled.includes(name);

function known(name: string, point: ExtensionPoint): PluginName {
  if (!Object.hasOwn(PLUGINS, name)) throw new Error(`${typeOf(point)} ${JSON.stringify(name)} does not exist`);
  return name as PluginName;
}

type Weights = Map<PluginName, number>;

function enable(weights: Weights, name: PluginName, weight: number, point: ExtensionPoint): void {
  if (weights.has(name))
    throw new Error(`plugin ${JSON.stringify(name)} already registered as ${JSON.stringify(typeOf(point))}`);
  weights.set(name, weight || 1);
}

/** What is said for all points, upon what holds by default, as far as it applies to this one. */
function everywhere(set: PluginSet, point: ExtensionPoint): Weights {
  const chosen: Weights = new Map();
  for (const { name, weight } of set.enabled) {
    const plugin = known(name, point);
    if (PLUGINS[plugin].points.includes(point)) enable(chosen, plugin, weight, point);
  }
  for (const name of PLUGIN_NAMES) {
    if (chosen.has(name) || isDisabled(set, name) || !PLUGINS[name].points.includes(point)) continue;
    chosen.set(name, PLUGINS[name].weight ?? 1);
  }
  return chosen;
}

/** What is said for the point itself. */
function here({ enabled }: PluginSet, point: ExtensionPoint): Weights {
  const chosen: Weights = new Map();
  for (const { name, weight } of enabled) {
    const plugin = known(name, point);
    if (!PLUGINS[plugin].points.includes(point)) {
      throw new Error(`plugin ${JSON.stringify(name)} does not extend ${typeOf(point)} plugin`);
    }
    enable(chosen, plugin, weight, point);
  }
  return chosen;
}

/**
 * The plugins of a profile: kube-scheduler's default ones, but for what `multiPoint` says, but for what is said for a
 * point itself. They are asked in one order, whichever they are named in; what kube-scheduler prepares at `preFilter` and
 * `preScore` belongs to the filters and scores here. Throws in kube-scheduler's words.
 * https://kubernetes.io/docs/reference/scheduling/config/#multipoint
 */
export function pluginSets(chosen: ChosenSets = {}): PluginSets {
  const { multiPoint = NOTHING_SAID } = chosen;
  const sets = EXTENSION_POINTS.map((point): [ExtensionPoint, Weights] => {
    const set = chosen[point] ?? NOTHING_SAID;
    const own = here(set, point);
    if (set.disabled.includes(ALL)) return [point, own];
    const others = [...everywhere(multiPoint, point)].filter(([name]) => !isDisabled(set, name));
    return [point, new Map([...others, ...own])];
  });
  return Object.fromEntries(sets) as unknown as PluginSets;
}
