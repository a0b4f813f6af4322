/**
 * How many pods each ReplicaSet of a Deployment may have next. Numbers in, numbers out.
 * https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment
 */
import type { Deployment } from '@periplus/api';
import { type DeepReadonly, scaledValue } from '@periplus/apimachinery';

/** What counts of a ReplicaSet. */
export interface SetSize {
  /** spec.replicas */
  wanted: number;
  /** status.availableReplicas */
  available: number;
  createdMs: number;
  name: string;
  /** The largest size that its Deployment allowed when it was scaled last; undefined when unknown. */
  maxAnnotated: number | undefined;
}

/** The bounds of a rollout in pods. */
export interface Bounds {
  replicas: number;
  surge: number;
  unavailable: number;
}

/** Surge rounds up and unavailability down; where both come to nothing, one may be unavailable, so that it moves. */
export function boundsOf({ spec }: DeepReadonly<Deployment>): Bounds {
  const replicas = spec.replicas ?? 1;
  const { type, rollingUpdate } = spec.strategy ?? {};
  if (type === 'Recreate') return { replicas, surge: 0, unavailable: 0 };
  const surge = scaledValue(rollingUpdate?.maxSurge ?? '25%', replicas, 'up');
  const down = scaledValue(rollingUpdate?.maxUnavailable ?? '25%', replicas, 'down');
  const unavailable = Math.min(replicas, surge === 0 && down === 0 ? 1 : down);
  return { replicas, surge, unavailable };
}

const sum = (sets: readonly SetSize[], of: (set: SetSize) => number): number =>
  sets.reduce((total, set) => total + of(set), 0);

/** A set can't have more available pods than it is to have, whatever its status still says. */
const stillAvailable = ({ wanted, available }: SetSize): number => Math.min(wanted, available);

/** The size of the new set: as large as it may be while all sets together stay within the surge. */
export function newSetSize(newSet: SetSize, old: readonly SetSize[], bounds: Bounds): number {
  if (newSet.wanted > bounds.replicas) return bounds.replicas;
  const room = bounds.replicas + bounds.surge - newSet.wanted - sum(old, ({ wanted }) => wanted);
  if (room <= 0) return newSet.wanted;
  return newSet.wanted + Math.min(room, bounds.replicas - newSet.wanted);
}

const oldestFirst = (a: SetSize, b: SetSize): number => a.createdMs - b.createdMs || (a.name < b.name ? -1 : 1);

/**
 * The sizes of the old sets, by set: smaller by as much as keeps enough pods available. Pods that are not available
 * anyway go first, whichever set they are of.
 */
export function oldSetSizes(newSet: SetSize, old: readonly SetSize[], bounds: Bounds): Map<SetSize, number> {
  const sizes = new Map<SetSize, number>();
  const minAvailable = bounds.replicas - bounds.unavailable;
  const total = newSet.wanted + sum(old, ({ wanted }) => wanted);
  const newUnavailable = newSet.wanted - stillAvailable(newSet);
  const mayGo = total - minAvailable - newUnavailable;
  if (mayGo <= 0) return sizes;

  const ordered = [...old].sort(oldestFirst);
  let gone = 0;
  for (const set of ordered) {
    const unhealthy = Math.min(mayGo - gone, set.wanted - stillAvailable(set));
    if (unhealthy <= 0) continue;
    sizes.set(set, set.wanted - unhealthy);
    gone += unhealthy;
  }

  const available = stillAvailable(newSet) + sum(old, stillAvailable);
  let healthy = Math.min(available - minAvailable, mayGo - gone);
  for (const set of ordered) {
    if (healthy <= 0) break;
    const size = sizes.get(set) ?? set.wanted;
    const down = Math.min(size, healthy);
    if (down > 0) sizes.set(set, size - down);
    healthy -= down;
  }
  return sizes;
}

/** The larger sets first; of equal ones the newer when growing, the older when shrinking. */
const largestFirst =
  (growing: boolean) =>
  (a: SetSize, b: SetSize): number =>
    b.wanted - a.wanted || (growing ? oldestFirst(b, a) : oldestFirst(a, b));

/** How much `set` grows or shrinks when its Deployment's largest size goes from what it was to what `bounds` say. */
function shareOf(set: SetSize, bounds: Bounds, statusReplicas: number): number {
  if (bounds.replicas === 0) return -set.wanted;
  const before = set.maxAnnotated || statusReplicas;
  if (before === 0) return 0;
  return Math.round((set.wanted * (bounds.replicas + bounds.surge)) / before) - set.wanted;
}

/**
 * Sizes when a Deployment is scaled in the middle of a rollout: each set grows or shrinks in proportion to its size, and
 * the largest takes what rounding leaves. `statusReplicas` is the Deployment's size as far as its status knows.
 * https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#proportional-scaling
 */
export function proportionalSizes(
  sets: readonly SetSize[],
  bounds: Bounds,
  statusReplicas: number,
): Map<SetSize, number> {
  const active = sets.filter(({ wanted }) => wanted > 0);
  const allowed = bounds.replicas > 0 ? bounds.replicas + bounds.surge : 0;
  const toAdd = allowed - sum(active, ({ wanted }) => wanted);
  const ordered = active.sort(largestFirst(toAdd > 0));
  const sizes = new Map<SetSize, number>();
  let added = 0;
  for (const set of ordered) {
    const rest = toAdd - added;
    const share = shareOf(set, bounds, statusReplicas);
    const delta = toAdd > 0 ? Math.max(0, Math.min(share, rest)) : Math.min(0, Math.max(share, rest));
    sizes.set(set, set.wanted + delta);
    added += delta;
  }
  let rest = toAdd - added;
  for (const set of ordered) {
    const delta = Math.max(rest, -sizes.get(set)!);
    sizes.set(set, sizes.get(set)! + delta);
    rest -= delta;
  }
  return sizes;
}
