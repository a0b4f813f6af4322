import { deepEqual } from '../deep-equal.ts';
import { isJsonObject } from '../json-value.ts';
import type { FieldSet, JsonObject, JsonValue, ManagedFieldsEntry } from '../object.ts';
import { difference, isEmpty, NO_FIELDS, SELF, union } from './field-set.ts';
import { canonicalElement } from './path-element.ts';

/** Who changes an object, and through what. */
export type Manager = Pick<ManagedFieldsEntry, 'manager' | 'operation' | 'apiVersion'> & {
  /** '' for the object itself. */
  readonly subresource: string;
};

/** As many who updated an object are told apart; those of longest ago become one. */
export const UPDATE_MANAGERS_MAX = 10;
const ANCIENT_CHANGES = 'ancient-changes';
export const MANAGER_CHARS_MAX = 128;
const SUBRESOURCE_CHARS_MAX = 256;

/** What nobody owns: the server decides it, or it names the object. */
const SERVER_FIELDS: FieldSet = {
  'f:apiVersion': {},
  'f:kind': {},
  'f:metadata': {
    [SELF]: {},
    'f:name': {},
    'f:namespace': {},
    'f:creationTimestamp': {},
    'f:selfLink': {},
    'f:uid': {},
    'f:clusterName': {},
    'f:generation': {},
    'f:managedFields': {},
    'f:resourceVersion': {},
  },
};

/** The fields of a set that somebody may own, of the members `names`. */
export function ownable(set: FieldSet, names: readonly string[]): FieldSet {
  const members: Record<string, FieldSet> = {};
  for (const name of names) {
    const fields = set[`f:${name}`];
    if (fields !== undefined) members[`f:${name}`] = fields;
  }
  return difference(members, SERVER_FIELDS);
}

/** An applier stays the same whichever version he applies. */
export const isManagedBy = (entry: ManagedFieldsEntry, by: Manager): boolean =>
  entry.manager === by.manager &&
  entry.operation === by.operation &&
  (entry.subresource ?? '') === by.subresource &&
  (by.operation === 'Apply' || entry.apiVersion === by.apiVersion);

export const entryOf = (by: Manager, time: string, fieldsV1: FieldSet): ManagedFieldsEntry => ({
  manager: by.manager,
  operation: by.operation,
  apiVersion: by.apiVersion,
  ...(time && { time }),
  fieldsType: 'FieldsV1',
  fieldsV1,
  ...(by.subresource && { subresource: by.subresource }),
});

/** The same entry with other fields; undefined when there are none. */
export const withFields = (entry: ManagedFieldsEntry, fieldsV1: FieldSet): ManagedFieldsEntry | undefined => {
  if (fieldsV1 === entry.fieldsV1) return entry;
  return isEmpty(fieldsV1) ? undefined : { ...entry, fieldsV1 };
};

/** Times of the API are in the order of their texts. */
const timeOf = ({ time = '' }: ManagedFieldsEntry): string => time;
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The order in which entries are stored. */
export const sortedEntries = (entries: readonly ManagedFieldsEntry[]): ManagedFieldsEntry[] =>
  [...entries].sort(
    (a, b) =>
      byText(a.operation, b.operation) ||
      byText(timeOf(a), timeOf(b)) ||
      byText(a.manager, b.manager) ||
      byText(a.apiVersion, b.apiVersion) ||
      byText(a.subresource ?? '', b.subresource ?? ''),
  );

/** With at most UPDATE_MANAGERS_MAX who updated: the oldest of each version are put together. */
export function capped(entries: readonly ManagedFieldsEntry[]): readonly ManagedFieldsEntry[] {
  const updates = entries.filter(({ operation }) => operation === 'Update');
  let excess = updates.length - UPDATE_MANAGERS_MAX;
  if (excess <= 0) return entries;
  const oldestFirst = updates.sort((a, b) => byText(timeOf(a), timeOf(b)) || byText(a.manager, b.manager));
  const folded = new Set<ManagedFieldsEntry>();
  const oldest = new Map<string, ManagedFieldsEntry>();
  const buckets = new Map<string, ManagedFieldsEntry>();
  for (const entry of oldestFirst) {
    if (excess <= 0) break;
    const { apiVersion, time = '', fieldsV1 } = entry;
    const first = oldest.get(apiVersion);
    if (!first) {
      oldest.set(apiVersion, entry);
      continue;
    }
    const fields = union((buckets.get(apiVersion) ?? first).fieldsV1, fieldsV1);
    const by: Manager = { manager: ANCIENT_CHANGES, operation: 'Update', apiVersion, subresource: '' };
    buckets.set(apiVersion, entryOf(by, time, fields));
    folded.add(first).add(entry);
    excess--;
  }
  return [...entries.filter((entry) => !folded.has(entry)), ...buckets.values()];
}

/** Whether a client asks to forget who manages what: `managedFields: [{}]`. */
export const isReset = (value: readonly unknown[] | undefined): boolean =>
  value?.length === 1 && isJsonObject(value[0]) && Object.keys(value[0]).length === 0;

/** The entries that a client states, as this library writes them; undefined when they are none, or not well formed. */
export function decodeManagedFields(value: readonly unknown[] | undefined): ManagedFieldsEntry[] | undefined {
  if (!value || value.length === 0) return undefined;
  const entries: ManagedFieldsEntry[] = [];
  for (const item of value) {
    const entry = isJsonObject(item) ? decodeEntry(item) : undefined;
    if (!entry) return undefined;
    entries.push(entry);
  }
  return entries;
}

function decodeEntry(value: JsonObject): ManagedFieldsEntry | undefined {
  const { manager = '', operation, apiVersion, time, fieldsType, fieldsV1 = {}, subresource = '' } = value;
  if (operation !== 'Apply' && operation !== 'Update') return undefined;
  if (typeof apiVersion !== 'string' || apiVersion === '' || fieldsType !== 'FieldsV1') return undefined;
  if (typeof manager !== 'string' || manager.length > MANAGER_CHARS_MAX) return undefined;
  if (typeof subresource !== 'string' || subresource.length > SUBRESOURCE_CHARS_MAX) return undefined;
  const fields = decodeFields(fieldsV1);
  if (!fields) return undefined;
  return {
    ...{ manager, operation, apiVersion, ...(typeof time === 'string' && { time }) },
    ...{ fieldsType, fieldsV1: fields, ...(subresource && { subresource }) },
  };
}

function decodeFields(value: JsonValue | undefined): FieldSet | undefined {
  if (!isJsonObject(value)) return undefined;
  const set: Record<string, FieldSet> = {};
  for (const name in value) {
    const element = name === SELF ? SELF : canonicalElement(name);
    const inner = decodeFields(value[name]);
    if (element === undefined || inner === undefined) return undefined;
    set[element] = inner;
  }
  return set;
}

/** Whether two lists of entries differ in nothing but their times. */
export const sameManagement = (a: readonly ManagedFieldsEntry[], b: readonly ManagedFieldsEntry[]): boolean => {
  const timeless = (entries: readonly ManagedFieldsEntry[]) =>
    sortedEntries(entries.map(({ time: _, ...entry }) => entry));
  return a === b || (a.length === b.length && deepEqual(timeless(a), timeless(b)));
};

/** All that anybody in `entries` owns. */
export const ownedByAny = (entries: readonly ManagedFieldsEntry[]): FieldSet =>
  entries.reduce((owned, { fieldsV1 }) => union(owned, fieldsV1), NO_FIELDS);
