import { deepEqual } from '../deep-equal.ts';
import type { DeepReadonly, FieldSet, JsonObject, JsonValue } from '../object.ts';
import type { ArraySchema, ObjectSchema, Schema } from '../schema.ts';
import { isEmpty, LEAF, NO_FIELDS, union } from './field-set.ts';
import { everyFieldOf, isOneValue, memberSchema } from './fields-of.ts';
import { elementOf, fieldElement } from './path-element.ts';

/** What changed between two states of an object. */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

type Members = Record<string, FieldSet>;

/** Collects the changes of one value's members; a set comes into being with its first member. */
class Changes {
  readonly sets: { added?: Members; modified?: Members; removed?: Members } = {};

  member(element: string, was: JsonValue | undefined, is: JsonValue | undefined, schema: Schema): void {
    if (was === is) return;
    if (was === undefined) {
      this.put('added', element, everyFieldOf(is as JsonValue, schema));
    } else if (is === undefined) {
      this.put('removed', element, everyFieldOf(was, schema));
    } else if (isLeaf(was, is, schema)) {
      if (!deepEqual(was, is)) this.put('modified', element, LEAF);
    } else {
      const { sets } = changesOf(was as JsonObject | JsonValue[], is as JsonObject | JsonValue[], schema);
      this.put('added', element, sets.added);
      this.put('modified', element, sets.modified);
      this.put('removed', element, sets.removed);
    }
  }

  put(set: keyof Comparison, element: string, fields: FieldSet | undefined): void {
    if (fields === undefined) return;
    this.sets[set] ??= {};
    this.sets[set][element] = fields;
  }
}

const isContainer = (value: JsonValue): value is JsonObject | JsonValue[] =>
  typeof value === 'object' && value !== null;

const isLeaf = (was: JsonValue, is: JsonValue, schema: Schema): boolean =>
  isOneValue(schema) || !isContainer(was) || !isContainer(is) || Array.isArray(was) !== Array.isArray(is);

function changesOf(was: JsonObject | JsonValue[], is: JsonObject | JsonValue[], schema: Schema): Changes {
  const changes = new Changes();
  if (Array.isArray(was)) compareLists(changes, was, is as JsonValue[], schema as ArraySchema);
  else compareMembers(changes, was, is as JsonObject, schema);
  return changes;
}

function compareMembers(changes: Changes, was: JsonObject, is: JsonObject, schema: Schema): void {
  for (const name in is) {
    const old = Object.hasOwn(was, name) ? was[name] : undefined;
    if (old !== is[name]) changes.member(fieldElement(name), old, is[name], memberSchema(schema, name));
  }
  for (const name in was) {
    if (Object.hasOwn(is, name) && is[name] !== undefined) continue;
    changes.member(fieldElement(name), was[name], undefined, memberSchema(schema, name));
  }
}

/** Items of one list by their element. Live lists may name an item twice; those are compared together. */
function itemsOf(list: readonly JsonValue[], schema: ArraySchema): Map<string, JsonValue[]> {
  const items = new Map<string, JsonValue[]>();
  for (const item of list) {
    const element = elementOf(item, schema);
    if (element === undefined) continue;
    const twins = items.get(element);
    if (twins) twins.push(item);
    else items.set(element, [item]);
  }
  return items;
}

function compareLists(changes: Changes, was: JsonValue[], is: JsonValue[], schema: ArraySchema): void {
  const before = itemsOf(was, schema);
  const after = itemsOf(is, schema);
  for (const [element, items] of after) {
    const old = before.get(element) ?? [];
    if (items.length <= 1 && old.length <= 1) changes.member(element, old[0], items[0], schema.items);
    else if (!deepEqual(old, items)) changes.put('modified', element, LEAF);
  }
  for (const [element, items] of before) {
    if (!after.has(element)) changes.member(element, items[0], undefined, schema.items);
  }
}

/**
 * Compares the members `names` of two states of one object; parts that both share cost nothing. What appears or goes
 * is there with everything below it.
 */
export function compareObjects(
  was: DeepReadonly<JsonObject>,
  is: DeepReadonly<JsonObject>,
  schema: Schema,
  names: readonly string[],
): Comparison {
  const changes = new Changes();
  for (const name of names) {
    changes.member(
      fieldElement(name),
      was[name] as JsonValue | undefined,
      is[name] as JsonValue | undefined,
      memberSchema(schema, name),
    );
  }
  const { added = NO_FIELDS, modified = NO_FIELDS, removed = NO_FIELDS } = changes.sets;
  return { added, modified, removed };
}

/** All that is new or different. */
export const changedFields = ({ added, modified }: Comparison): FieldSet =>
  isEmpty(modified) ? added : union(modified, added);

/** Structs that Go never leaves out, so that they are there before anybody sets them. */
const ALWAYS_THERE = /(?:Spec|Status|Strategy|ObjectMeta)$/;

const blanks = new WeakMap<ObjectSchema, JsonObject>();

/** What a new object is compared to: nothing but the structs and lists that every object of the kind has. */
export function blankOf(schema: ObjectSchema): JsonObject {
  let blank = blanks.get(schema);
  if (!blank) {
    blank = {};
    for (const [name, member] of Object.entries(schema.properties)) {
      if (isOneValue(member)) continue;
      if (member.type === 'object' && ALWAYS_THERE.test(member.name ?? '')) blank[name] = blankOf(member);
      else if (member.type === 'array' && schema.required.includes(name)) blank[name] = [];
    }
    blanks.set(schema, blank);
  }
  return blank;
}
