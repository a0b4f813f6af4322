import type { JsonObject, ManagedFieldsEntry } from '../object.ts';
import type { Schema } from '../schema.ts';
import { type Comparison, changedFields } from './compare.ts';
import type { FieldConflict } from './conflicts.ts';
import { intersection, isEmpty, NO_FIELDS, sameFields, union } from './field-set.ts';
import { fieldsOf } from './fields-of.ts';
import { entryOf, isManagedBy, type Manager, ownable, ownedByAny, sortedEntries } from './managed-fields.ts';
import { mergeConfig } from './merge.ts';
import { pruned } from './remove.ts';
import { withoutChanged } from './track-update.ts';

export interface Application {
  readonly live: JsonObject;
  /** What the applier wants, and nothing else: no defaults. Types are right. */
  readonly config: JsonObject;
  readonly schema: Schema;
  readonly by: Manager;
  /** Now: `2026-11-21T10:00:00Z`. */
  readonly time: string;
  /** The members that this apply may change: `metadata`, `spec`. */
  readonly names: readonly string[];
  /** Who manages `live`. */
  readonly entries: readonly ManagedFieldsEntry[];
  /** What changes from `live` to `object`, in the words of a version; undefined for one that is not served any more. */
  changesIn(object: JsonObject, apiVersion: string): Comparison | undefined;
}

export interface Applied {
  /** Shares parts with the arguments. */
  readonly object: JsonObject;
  /** Who manages it then, when the conflicts do not matter. */
  readonly entries: readonly ManagedFieldsEntry[];
  /** What others own and the configuration states differently. */
  readonly conflicts: readonly FieldConflict[];
}

/**
 * Merges what an applier wants into the live object. What he stated last time and states no more is removed, unless
 * somebody else owns it. https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
export function applyConfig(application: Application): Applied {
  const { live, config, schema, by, time, names, entries } = application;
  const last = entries.find((entry) => isManagedBy(entry, by));
  const others = entries.filter((entry) => entry !== last);
  const stated = fieldsOf(config, schema);
  const fields = ownable(stated, names);
  const merged = mergeConfig(live, config, schema) as JsonObject;
  // What names the object is nobody's, and yet it is stated: it keeps the metadata from going with their last field.
  const owned = union(stated, ownedByAny(others));
  // Fields of another version have other names.
  const before = last?.apiVersion === by.apiVersion ? last.fieldsV1 : NO_FIELDS;
  const object = pruned(merged, before, owned, schema);
  const changesIn = (apiVersion: string) => application.changesIn(object, apiVersion);
  const conflicts = others.flatMap((entry): FieldConflict[] => {
    const changes = changesIn(entry.apiVersion);
    const lost = changes ? intersection(entry.fieldsV1, changedFields(changes)) : NO_FIELDS;
    return isEmpty(lost) ? [] : [{ entry, fields: lost }];
  });
  const left = withoutChanged(others, { changesIn });
  const changes = changesIn(by.apiVersion);
  const isUnchanged =
    last !== undefined &&
    last.apiVersion === by.apiVersion &&
    sameFields(last.fieldsV1, fields) &&
    (!changes || (isEmpty(changedFields(changes)) && isEmpty(changes.removed)));
  const own = isUnchanged ? last : entryOf(by, time, fields);
  return { object, conflicts, entries: sortedEntries(isEmpty(fields) ? left : [...left, own]) };
}
