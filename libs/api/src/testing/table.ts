import type { KubeObject } from '@periplus/apimachinery';
import type { Kind } from '../kind.ts';
import { cells, created } from './objects.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const AN_HOUR_AGO = '2026-11-21T11:00:00Z';

/** The header and the row of `kubectl get` for an object, by default one that was made an hour ago, with the columns of -o wide behind a bar. */
export function table<T extends KubeObject>(kind: Kind<T>, object: T): string[] {
  const { status } = object as { status?: object };
  object.metadata.creationTimestamp ??= AN_HOUR_AGO;
  const stored = created(kind, object);
  if (status) (stored as { status?: object }).status = status;
  const names = (priority: 0 | 1) =>
    kind.columns
      .filter((column) => (column.priority ?? 0) === priority)
      .map(({ name }) => name.toUpperCase())
      .join('  ');
  const wide = names(1);
  return [wide ? `${names(0)} | ${wide}` : names(0), cells(kind, stored, NOW)];
}
