import type { Namespace, Node, Pod } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import { noneOf } from '../decide.ts';
import { NodeTable } from '../node-table.ts';
import { type PodShape, PodShapes } from '../pod-shape.ts';
import type { Profile } from '../profile.ts';

/** A cluster as somebody read it. */
export interface Snapshot {
  readonly nodes: readonly DeepReadonly<Node>[];
  readonly namespaces: readonly DeepReadonly<Namespace>[];
  /** Of all namespaces. */
  readonly pods: readonly DeepReadonly<Pod>[];
}

/** What the scheduler thinks of one node. */
interface NodeVerdict {
  readonly node: string;
  /** The first filter that refuses it, and why; null when the node takes the pod. */
  readonly refusedBy: { readonly plugin: string; readonly reasons: readonly string[] } | null;
  /** Of a node that takes it: what each score gives, weighted. Those that give the same to all nodes may be absent. */
  readonly scores: Readonly<Record<string, number>>;
  readonly total: number;
}

export interface Explanation {
  /** Where the pod is; null while it is nowhere. */
  readonly node: string | null;
  /** How many nodes take it and why the others don't, in the words of the FailedScheduling event. */
  readonly message: string;
  /** Nodes that take the pod first, the best of them at the top; then the others, by name. */
  readonly nodes: readonly NodeVerdict[];
}

const hasEnded = ({ status }: DeepReadonly<Pod>): boolean =>
  status?.phase === 'Succeeded' || status?.phase === 'Failed';

function tableOf({ nodes, namespaces, pods }: Snapshot, shapes: PodShapes, except: string): NodeTable {
  const table = new NodeTable();
  for (const { metadata } of namespaces) table.tallies.setNamespace(metadata.name!, metadata.labels ?? {});
  for (const node of nodes) table.setNode(node);
  for (const pod of pods) {
    const { uid } = pod.metadata;
    if (pod.spec.nodeName && uid !== except && !hasEnded(pod))
      table.place(uid!, shapes.footprint(pod), pod.spec.nodeName);
  }
  return table;
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

/**
 * What the plugins of a profile say of each node to a pod, which is taken to have no node yet. The nodes' order of
 * arrival, and the limit on how many are looked at, which a running scheduler has, play no part.
 */
export function explain(pod: DeepReadonly<Pod>, snapshot: Snapshot, profile: Profile): Explanation {
  const shapes = new PodShapes();
  const { nodeName, ...spec } = pod.spec;
  const shape = shapes.of({ ...pod, spec });
  const table = tableOf(snapshot, shapes, pod.metadata.uid!);
  const refusalOf = refusals(profile, shape, table);
  const asked = table.slots.map((slot) => ({
    slot,
    node: table.nodes[slot]!.metadata.name!,
    refusedBy: refusalOf(slot),
  }));
  const fitting = asked.filter(({ refusedBy }) => refusedBy === null);
  const scores = scoresOf(
    profile,
    shape,
    table,
    Int32Array.from(fitting, ({ slot }) => slot),
  );
  const scored = fitting.map(({ node }, at): NodeVerdict => {
    const total = Object.values(scores[at]!).reduce((sum, score) => sum + score, 0);
    return { node, refusedBy: null, scores: scores[at]!, total };
  });
  const refused = asked.flatMap(({ node, refusedBy }): NodeVerdict[] =>
    refusedBy ? [{ node, refusedBy, scores: {}, total: 0 }] : [],
  );
  const counts = new Map<string, number>();
  for (const { refusedBy } of refused) {
    for (const reason of refusedBy!.reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const byName = (one: NodeVerdict, other: NodeVerdict): number => (one.node < other.node ? -1 : 1);
  return {
    node: nodeName ?? null,
    message: messageOf(table.size, scored.length, counts),
    nodes: [...scored.sort((one, other) => other.total - one.total || byName(one, other)), ...refused.sort(byName)],
  };
}

function messageOf(nodes: number, fitting: number, counts: ReadonlyMap<string, number>): string {
  if (nodes === 0) return 'no nodes available to schedule pods';
  if (fitting === nodes) return `${nodes}/${nodes} nodes are available.`;
  return noneOf(nodes, counts).replace(/^0/, String(fitting));
}
