import type { ManagedFieldsEntry } from '../object.ts';
import { type Comparison, changedFields } from './compare.ts';
import { difference, isEmpty, union } from './field-set.ts';
import { capped, entryOf, isManagedBy, type Manager, ownable, sortedEntries, withFields } from './managed-fields.ts';

export interface ObservedUpdate {
  readonly by: Manager;
  /** Now: `2026-11-21T10:00:00Z`. */
  readonly time: string;
  /** The members that this update may change, so that it can own fields of them: `metadata`, `spec`. */
  readonly names: readonly string[];
  /** What changed, in the words of a version; undefined for a version that is not served any more. */
  changesIn(apiVersion: string): Comparison | undefined;
}

/**
 * Who owns what after somebody created or updated an object: he owns what he changed or added, and nobody owns what is
 * gone. Returns `entries` itself when nothing changes.
 */
export function trackUpdate(
  entries: readonly ManagedFieldsEntry[],
  update: ObservedUpdate,
): readonly ManagedFieldsEntry[] {
  const { by, time, names } = update;
  const changes = update.changesIn(by.apiVersion);
  const fields = changes ? ownable(changedFields(changes), names) : {};
  const left = entries.length === 0 ? entries : withoutChanged(entries, update);
  if (isEmpty(fields))
    return left.length === entries.length && left.every((entry, i) => entry === entries[i]) ? entries : left;
  const mine = entries.find((entry) => isManagedBy(entry, by));
  const others = mine ? left.filter((entry) => !isManagedBy(entry, by)) : left;
  const rest = mine && left.find((entry) => isManagedBy(entry, by));
  const own = entryOf(by, time, rest ? union(rest.fieldsV1, fields) : fields);
  return others.length === 0 ? [own] : sortedEntries(capped([...others, own]));
}

/** What is left to each manager of what he owned. */
export function withoutChanged(
  entries: readonly ManagedFieldsEntry[],
  { changesIn }: Pick<ObservedUpdate, 'changesIn'>,
): ManagedFieldsEntry[] {
  return entries.flatMap((entry) => {
    const changes = changesIn(entry.apiVersion);
    if (!changes) return [];
    const kept = difference(difference(entry.fieldsV1, changedFields(changes)), changes.removed);
    return withFields(entry, kept) ?? [];
  });
}
