/** Which pods of an old template are replaced next. https://kubernetes.io/docs/tasks/manage-daemon/update-daemon-set/ */
import { scaledValue } from '@periplus/apimachinery';
import type { PodView } from '../pod-state.ts';
import type { DaemonNode } from './daemon-nodes.ts';
import type { Moves, Rules } from './node-moves.ts';
import type { DaemonSetView } from './placement.ts';

export interface Limits {
  surge: number;
  unavailable: number;
}

/** Both round up; where both come to nothing, one may be unavailable, so that it moves. */
export function limitsOf({ spec }: DaemonSetView, desired: number): Limits {
  const { maxSurge = 0, maxUnavailable = 1 } = spec.updateStrategy?.rollingUpdate ?? {};
  const surge = scaledValue(maxSurge, desired, 'up');
  const unavailable = scaledValue(maxUnavailable, desired, 'up');
  return { surge, unavailable: surge === 0 ? Math.max(1, unavailable) : unavailable };
}

/** The pods of a node that stay; `isClear` when there is at most one of each. */
function pair({ pods }: DaemonNode, { isUpdated }: Rules) {
  const staying = pods.filter(({ metadata }) => !metadata.deletionTimestamp);
  const updated = staying.filter(isUpdated);
  const old = staying.filter((pod) => !isUpdated(pod));
  return { updated: updated[0], old: old[0], isClear: updated.length <= 1 && old.length <= 1 };
}

const concerned = (nodes: readonly DaemonNode[]): DaemonNode[] =>
  nodes.filter(({ placement, pods }) => placement.run || pods.length > 0);

const NONE: Moves = { create: [], remove: [], lookAgainMs: undefined };

/**
 * The next moves of a rolling update, on nodes where nothing else has to be done. Old pods that do not serve are
 * replaced at once, those that do as far as the limits allow.
 */
export function rollingMoves(set: DaemonSetView, nodes: readonly DaemonNode[], rules: Rules): Moves {
  const desired = nodes.filter(({ placement }) => placement.run).length;
  const limits = limitsOf(set, desired);
  return limits.surge > 0 ? surging(nodes, limits, desired, rules) : replacing(nodes, limits, rules);
}

/** Old pods go first, new ones come where they are gone. */
function replacing(nodes: readonly DaemonNode[], limits: Limits, rules: Rules): Moves {
  let unavailable = 0;
  const broken: PodView[] = [];
  const candidates: PodView[] = [];
  for (const node of concerned(nodes)) {
    const { updated, old, isClear } = pair(node, rules);
    const only = isClear && !(updated && old) ? (updated ?? old) : undefined;
    if (!only || !rules.isAvailable(only)) unavailable += 1;
    if (!only || only === updated) continue;
    (rules.isAvailable(only) ? candidates : broken).push(only);
  }
  return { ...NONE, remove: [...broken, ...candidates.slice(0, Math.max(0, limits.unavailable - unavailable))] };
}

/** New pods come first, old ones go when the new ones serve. */
function surging(nodes: readonly DaemonNode[], limits: Limits, desired: number, rules: Rules): Moves {
  let [surged, available] = [0, 0];
  const remove: PodView[] = [];
  const sunset: PodView[] = [];
  const broken: string[] = [];
  const candidates: string[] = [];
  for (const node of concerned(nodes)) {
    const { updated, old, isClear } = pair(node, rules);
    if (!isClear) {
      surged += 1;
      continue;
    }
    const serving = old ?? updated;
    const serves = serving !== undefined && rules.isAvailable(serving);
    if (serves) available += 1;
    if (!old) continue;
    if (updated) {
      if (rules.isAvailable(updated)) remove.push(old);
      else surged += 1;
    } else if (!node.placement.run) (serves ? sunset : remove).push(old);
    else (serves ? candidates : broken).push(node.name);
  }
  // On nodes that are not the set's any more, pods stay until there are enough elsewhere.
  remove.push(...sunset.slice(0, Math.max(0, available - desired)));
  const create = [...broken, ...candidates.slice(0, Math.max(0, limits.surge - surged))];
  return { ...NONE, remove, create: create.map((node) => ({ node, failures: 0 })) };
}
