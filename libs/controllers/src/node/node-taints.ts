import type { Node, Taint } from '@periplus/api';
import { conditionOf, type DeepReadonly, formatTime } from '@periplus/apimachinery';

export type NodeView = DeepReadonly<Node>;

/** https://kubernetes.io/docs/reference/labels-annotations-taints/#node-kubernetes-io-not-ready */
export const NOT_READY = 'node.kubernetes.io/not-ready';
export const UNREACHABLE = 'node.kubernetes.io/unreachable';
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';
/** Conditions that, when true, keep new pods away. */
const PRESSURE: Readonly<Record<string, string>> = {
  MemoryPressure: 'node.kubernetes.io/memory-pressure',
  DiskPressure: 'node.kubernetes.io/disk-pressure',
  PIDPressure: 'node.kubernetes.io/pid-pressure',
  NetworkUnavailable: 'node.kubernetes.io/network-unavailable',
};
/** The taints that follow from a node's conditions and nothing else. */
const MANAGED = new Set([NOT_READY, UNREACHABLE, UNSCHEDULABLE, ...Object.values(PRESSURE)]);

const sameTaint = (a: Taint, b: Taint): boolean => a.key === b.key && a.effect === b.effect;

/**
 * The taints that the node's conditions ask for, beside those that others gave it. A taint that evicts keeps the time
 * since when it stands. https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-nodes-by-condition
 */
export function wantedTaints({ spec, status }: NodeView, nowMs: number): readonly Taint[] {
  const present = spec.taints ?? [];
  const wanted: Taint[] = [];
  const ready = conditionOf(status?.conditions, 'Ready')?.status;
  const key = ready === 'False' ? NOT_READY : ready === 'Unknown' ? UNREACHABLE : undefined;
  if (key) wanted.push({ key, effect: 'NoSchedule' }, { key, effect: 'NoExecute', timeAdded: formatTime(nowMs) });
  for (const { type, status: state } of status?.conditions ?? []) {
    const pressure = PRESSURE[type];
    if (pressure && state === 'True') wanted.push({ key: pressure, effect: 'NoSchedule' });
  }
  if (spec.unschedulable) wanted.push({ key: UNSCHEDULABLE, effect: 'NoSchedule' });
  // A node that has not reported yet was registered with its taint, which keeps pods away until it does.
  const stays = (taint: Taint): boolean =>
    !MANAGED.has(taint.key) ||
    (ready === undefined && taint.key === NOT_READY) ||
    wanted.some((w) => sameTaint(w, taint));
  const added = wanted.filter((taint) => !present.some((candidate) => sameTaint(candidate, taint)));
  return [...present.filter(stays), ...added];
}
