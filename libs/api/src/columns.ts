import type { DeepReadonly, KubeObject } from '@periplus/apimachinery';
import type { Column } from './kind.ts';

const SECOND = 1000;
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

const twoUnits = (seconds: number, big: number, bigName: string, small: number, smallName: string): string => {
  const rest = Math.floor((seconds % big) / small);
  return `${Math.floor(seconds / big)}${bigName}${rest > 0 ? `${rest}${smallName}` : ''}`;
};

/** A duration as `kubectl get` prints it: `90s`, `5m30s`, `3h`, `2d4h`. https://pkg.go.dev/k8s.io/apimachinery/pkg/util/duration#HumanDuration */
export function humanDuration(durationMs: number): string {
  const seconds = Math.trunc(durationMs / SECOND);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 2 * MINUTE) return `${seconds}s`;
  if (seconds < 10 * MINUTE) return twoUnits(seconds, MINUTE, 'm', 1, 's');
  if (seconds < 3 * HOUR) return `${Math.floor(seconds / MINUTE)}m`;
  if (seconds < 8 * HOUR) return twoUnits(seconds, HOUR, 'h', MINUTE, 'm');
  if (seconds < 2 * DAY) return `${Math.floor(seconds / HOUR)}h`;
  if (seconds < 8 * DAY) return twoUnits(seconds, DAY, 'd', HOUR, 'h');
  if (seconds < 2 * YEAR) return `${Math.floor(seconds / DAY)}d`;
  if (seconds < 8 * YEAR) return twoUnits(seconds, YEAR, 'y', DAY, 'd');
  return `${Math.floor(seconds / YEAR)}y`;
}

/** The time since a timestamp, `<unknown>` when there is none. */
export const timeSince = (timestamp: string | null | undefined, nowMs: number): string =>
  timestamp ? humanDuration(nowMs - Date.parse(timestamp)) : '<unknown>';

export const orNone = (text: string | undefined): string => text || '<none>';

export const nameColumn: Column<KubeObject> = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name, unique within the namespace',
  of: (object) => object.metadata.name ?? '',
};

export const ageColumn: Column<KubeObject> = {
  name: 'Age',
  type: 'string',
  description: 'Time since creation',
  of: (object, nowMs) => timeSince(object.metadata.creationTimestamp, nowMs),
};

/** A map as `kubectl get` prints selectors and labels: `app=web,tier=front`, sorted, `<none>` when empty. */
export function formatLabels(labels: DeepReadonly<Record<string, string>> | undefined): string {
  const parts = Object.entries(labels ?? {}).map(([name, value]) => `${name}=${value}`);
  return orNone(parts.sort().join(','));
}
