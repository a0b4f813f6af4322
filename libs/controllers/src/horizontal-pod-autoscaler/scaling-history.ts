/**
 * What an autoscaler remembers: what it would have done, and what it did. It stands in an annotation of the object and
 * is written with its status, so that a controller that takes over knows it, and a reconciler needs no memory.
 */
import { type DeepReadonly, isJsonObject, type KubeObject } from '@periplus/apimachinery';

export const HISTORY_ANNOTATION = 'autoscaling.periplus.dev/history';
/** An hour of changes at the usual interval. The oldest go first. */
const ENTRIES_MAX = 240;

/** Seconds since the epoch, and a number of replicas, or by how many there were more. */
type Entry = readonly [seconds: number, count: number];

export interface ScalingHistory {
  /** What was recommended from then on, until the next entry. */
  readonly recommended: readonly Entry[];
  /** Changes that were made. */
  readonly rescaled: readonly Entry[];
}

const NOTHING: ScalingHistory = { recommended: [], rescaled: [] };
const isEntry = (value: unknown): value is Entry =>
  Array.isArray(value) && value.length === 2 && value.every((one) => Number.isSafeInteger(one));
const entriesOf = (value: unknown): readonly Entry[] =>
  Array.isArray(value) ? value.filter(isEntry).slice(-ENTRIES_MAX) : [];

/** Anybody may write annotations: what can't be read is forgotten. */
export function historyOf({ metadata }: DeepReadonly<KubeObject>): ScalingHistory {
  try {
    const value: unknown = JSON.parse(metadata.annotations?.[HISTORY_ANNOTATION] ?? '{}');
    if (!isJsonObject(value)) return NOTHING;
    return { recommended: entriesOf(value.recommended), rescaled: entriesOf(value.rescaled) };
  } catch {
    return NOTHING;
  }
}

export const historyText = (history: ScalingHistory): string => JSON.stringify(history);

/** Notes what is recommended now; what no window of `keepSeconds` reaches any more is forgotten. */
export function withRecommendation(
  history: ScalingHistory,
  replicas: number,
  nowSeconds: number,
  keepSeconds: number,
): ScalingHistory {
  const { recommended } = history;
  // The last one that had begun by then still held at the beginning of the window.
  const first = recommended.findLastIndex(([seconds]) => seconds <= nowSeconds - keepSeconds);
  const kept = first > 0 ? recommended.slice(first) : recommended;
  if (kept.at(-1)?.[1] === replicas) return kept === recommended ? history : { ...history, recommended: kept };
  return { ...history, recommended: [...kept, [nowSeconds, replicas] as const].slice(-ENTRIES_MAX) };
}

export function withRescale(
  history: ScalingHistory,
  change: number,
  nowSeconds: number,
  keepSeconds: number,
): ScalingHistory {
  const kept = history.rescaled.filter(([seconds]) => seconds > nowSeconds - keepSeconds);
  return { ...history, rescaled: [...kept, [nowSeconds, change] as const].slice(-ENTRIES_MAX) };
}

/** What was recommended at any time within the last `seconds`. */
export function recommendedWithin({ recommended }: ScalingHistory, nowSeconds: number, seconds: number): number[] {
  const cutoff = nowSeconds - seconds;
  const endOf = (i: number): number => recommended[i + 1]?.[0] ?? nowSeconds;
  return recommended.filter((_, i) => endOf(i) > cutoff).map(([, replicas]) => replicas);
}

/** By how many replicas the last `seconds` have made more, all changes together. */
export const changeWithin = ({ rescaled }: ScalingHistory, nowSeconds: number, seconds: number): number =>
  rescaled.reduce((sum, [at, change]) => (at > nowSeconds - seconds ? sum + change : sum), 0);
