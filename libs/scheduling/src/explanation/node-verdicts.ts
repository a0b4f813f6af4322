import type { NodeTable } from '../node-table.ts';
import type { PodShape } from '../pod-shape.ts';
import type { Profile } from '../profile.ts';

/** What the scheduler thinks of one node. */
export interface NodeVerdict {
  readonly node: string;
  /** The first filter that refuses it, and why; null when the node takes the pod. */
  readonly refusedBy: { readonly plugin: string; readonly reasons: readonly string[] } | null;
  /** Of a node that takes it: what each score gives, weighted. Those that give the same to all nodes may be absent. */
  readonly scores: Readonly<Record<string, number>>;
  readonly total: number;
}

type Refusal = NodeVerdict['refusedBy'];

/** Asks the filters about each node, in their order, until one refuses. */
function refusals(profile: Profile, shape: PodShape, table: NodeTable): (slot: number) => Refusal {
  const checks = profile.dynamicFilters.map(({ name, prepare }) => ({ name, of: prepare(shape, table) }));
  return (slot) => {
    for (const { name, filter } of profile.staticFilters) {
      const reason = filter(shape.constraints, table.nodes[slot]!);
      if (reason !== null) return { plugin: name, reasons: [reason] };
    }
    for (const { name, of } of checks) {
      const reasons = of?.(slot);
      if (reasons) return { plugin: name, reasons };
    }
    return null;
  };
}

/** What each score gives each of the slots, weighted. */
function scoresOf(profile: Profile, shape: PodShape, table: NodeTable, slots: Int32Array): Record<string, number>[] {
  const given = Array.from(slots, (): Record<string, number> => ({}));
  const scores = new Float64Array(slots.length);
  const add = (name: string, weight: number, of: (at: number) => number): void => {
    given.forEach((scored, at) => {
      scored[name] = (scored[name] ?? 0) + weight * of(at);
    });
  };
  for (const { score, weight } of profile.dynamicScores) {
    if (score.score(shape, table, slots, slots.length, scores)) add(score.name, weight, (at) => scores[at]!);
  }
  for (const { score, weight } of profile.staticScores) {
    const raw = Array.from(slots, (slot) => score.score(shape.constraints, table.nodes[slot]!));
    const highest = Math.max(0, ...raw);
    if (highest === 0) continue;
    const share = (at: number): number => Math.floor((raw[at]! * 100) / highest);
    add(score.name, weight, (at) => (score.reverse ? 100 - share(at) : share(at)));
  }
  return given;
}

const byName = (one: NodeVerdict, other: NodeVerdict): number => (one.node < other.node ? -1 : 1);

/** What the plugins of a profile say of each node to pods of the shape, whatever other nodes there are. */
export function nodeVerdicts(profile: Profile, shape: PodShape, table: NodeTable): NodeVerdict[] {
  const refusalOf = refusals(profile, shape, table);
  const asked = table.slots.map((slot) => ({
    slot,
    node: table.nodes[slot]!.metadata.name!,
    refusedBy: refusalOf(slot),
  }));
  const fitting = asked.filter(({ refusedBy }) => refusedBy === null);
  const slots = Int32Array.from(fitting, ({ slot }) => slot);
  const scores = scoresOf(profile, shape, table, slots);
  const scored = fitting.map(({ node }, at): NodeVerdict => {
    const total = Object.values(scores[at]!).reduce((sum, score) => sum + score, 0);
    return { node, refusedBy: null, scores: scores[at]!, total };
  });
  const refused = asked.flatMap(({ node, refusedBy }): NodeVerdict[] =>
    refusedBy ? [{ node, refusedBy, scores: {}, total: 0 }] : [],
  );
  return [...scored.sort((one, other) => other.total - one.total || byName(one, other)), ...refused.sort(byName)];
}
