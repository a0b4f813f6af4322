import type { NodeTable } from '../node-table.ts';
import type { DynamicFilter, DynamicScore } from '../plugin.ts';
import type { PodShape } from '../pod-shape.ts';
import type { SpreadConstraint } from '../spread-constraint.ts';
import { type SpreadRules, spreadTally } from '../spread-rules.ts';
import type { Tally } from '../tally.ts';

const HOSTNAME = 'kubernetes.io/hostname';
const NO_LABEL = ["node(s) didn't match pod topology spread constraints (missing required label)"];
const SKEWED = ["node(s) didn't match pod topology spread constraints"];

const keysOf = (constraints: readonly SpreadConstraint[]): string[] =>
  constraints.map(({ topologyKey }) => topologyKey);

/** Keeps a pod off domains that would have too many of its like more than the one with the fewest. */
export const podTopologySpread = (rules: SpreadRules): DynamicFilter => ({
  name: 'PodTopologySpread',
  wakesOn: ['NodeAdded', 'NodeRemoved', 'NodeLabels', 'NodeTaints', 'PodGone', 'PodPlaced'],
  prepare(shape, table) {
    const { hard } = rules.of(shape, table);
    if (hard.length === 0) return null;
    const limits = hard.map((constraint) => limitOf(constraint, keysOf(hard), shape, table));
    return (slot) => {
      for (const { tally, most } of limits) {
        if (tally.domain(slot) < 0) return NO_LABEL;
        if (tally.around(slot) > most) return SKEWED;
      }
      return null;
    };
  },
  reaches(shape, { peer }, table) {
    const { hard } = rules.of(shape, table);
    if (peer === null) return hard.length > 0;
    return peer.namespace === shape.peer.namespace && hard.some(({ selector }) => selector.matches(peer.labels));
  },
});

/** How many pods a domain may have already. */
function limitOf(constraint: SpreadConstraint, keys: readonly string[], shape: PodShape, table: NodeTable) {
  const tally = spreadTally(constraint, keys, shape, table);
  const fewest = tally.domains < constraint.minDomains ? 0 : tally.lowest();
  const itself = constraint.selector.matches(shape.peer.labels) ? 1 : 0;
  return { tally, most: fewest + constraint.maxSkew - itself };
}

/** A constraint in a score: how many like the pod are around a node, and what each of them counts. */
interface Pressure {
  readonly tally: Tally;
  readonly onNode: boolean;
  readonly maxSkew: number;
  /** Domains of small topologies have more pods each; the logarithm keeps large ones from drowning in them. */
  readonly weight: number;
}

/** Prefers domains that have few of the pod's like. */
export const preferredTopologySpread = (rules: SpreadRules): DynamicScore => ({
  name: 'PodTopologySpread',
  score(shape, table, slots, count, scores) {
    const { soft } = rules.of(shape, table);
    if (soft.length === 0) return false;
    const keys = rules.requiresEveryKey(shape) ? keysOf(soft) : [];
    const tallies = soft.map((constraint) => spreadTally(constraint, keys, shape, table));
    const isLeftOut = (slot: number): boolean => keys.length > 0 && tallies.some((tally) => tally.domain(slot) < 0);
    const candidates: number[] = [];
    for (let at = 0; at < count; at += 1) {
      scores[at] = 0;
      if (!isLeftOut(slots[at]!)) candidates.push(at);
    }
    const pressures = soft.map(({ topologyKey, maxSkew }, index): Pressure => {
      const onNode = topologyKey === HOSTNAME;
      const domains = onNode ? candidates.length : countDomains(tallies[index]!, candidates, slots);
      return { tally: tallies[index]!, onNode, maxSkew, weight: Math.log(domains + 2) };
    });
    let [lowest, highest] = [Number.POSITIVE_INFINITY, 0];
    for (const at of candidates) {
      const raw = pressureOn(slots[at]!, pressures);
      scores[at] = raw;
      lowest = Math.min(lowest, raw);
      highest = Math.max(highest, raw);
    }
    for (const at of candidates) {
      scores[at] = highest === 0 ? 100 : Math.floor((100 * (highest + lowest - scores[at]!)) / highest);
    }
    return true;
  },
});

function pressureOn(slot: number, pressures: readonly Pressure[]): number {
  let sum = 0;
  for (const { tally, onNode, maxSkew, weight } of pressures) {
    if (tally.domain(slot) < 0) continue;
    sum += (onNode ? tally.on(slot) : tally.around(slot)) * weight + (maxSkew - 1);
  }
  return Math.round(sum);
}

/** Among these nodes; ones without the label are one more. */
function countDomains(tally: Tally, candidates: readonly number[], slots: Int32Array): number {
  const domains = new Set<number>();
  for (const at of candidates) domains.add(tally.domain(slots[at]!));
  return domains.size;
}
