import { isJsonObject, setMember } from '../json-value.ts';
import type { FieldSet, JsonObject, JsonValue } from '../object.ts';
import type { ArraySchema, Schema } from '../schema.ts';
import { below, difference, hasElement, intersection, isEmpty, member, SELF } from './field-set.ts';
import { fieldsOf, isOneValue, memberSchema } from './fields-of.ts';
import { elementOf, fieldElement } from './path-element.ts';

/** `object` without the fields of `set` and all that is below them. What is not in the set itself stays, if empty. */
const withoutFields = (object: JsonObject, set: FieldSet, schema: Schema): JsonObject =>
  isEmpty(set) ? object : (without(object, set, schema) as JsonObject);

function without(value: JsonValue, set: FieldSet, schema: Schema): JsonValue {
  if (isOneValue(schema)) return value;
  if (Array.isArray(value)) return withoutItems(value, set, schema as ArraySchema);
  return isJsonObject(value) ? withoutMembers(value, set, schema) : value;
}

/** Undefined when the field itself is in the set. */
function rest(value: JsonValue, set: FieldSet, element: string | undefined, schema: Schema): JsonValue | undefined {
  if (element === undefined) return value;
  if (hasElement(set, element)) return undefined;
  const inner = below(set, element);
  return inner === undefined ? value : without(value, inner, schema);
}

function withoutItems(list: JsonValue[], set: FieldSet, schema: ArraySchema): JsonValue[] {
  const kept: JsonValue[] = [];
  for (const item of list) {
    const left = rest(item, set, elementOf(item, schema), schema.items);
    if (left !== undefined) kept.push(left);
  }
  return kept;
}

function withoutMembers(object: JsonObject, set: FieldSet, schema: Schema): JsonObject {
  const kept: JsonObject = {};
  for (const name in object) {
    const left = rest(object[name] as JsonValue, set, fieldElement(name), memberSchema(schema, name));
    if (left !== undefined) setMember(kept, name, left);
  }
  return kept;
}

/** With the structs on the way to each field, which are nobody's by themselves. */
function withStructs(set: FieldSet, schema: Schema | undefined): FieldSet {
  const members: Record<string, FieldSet> = {};
  for (const element in set) {
    if (element === SELF) continue;
    const inner = below(set, element);
    const name = element.slice(2);
    const isField = schema?.type === 'object' && element[0] === 'f' && Object.hasOwn(schema.properties, name);
    const isMember = hasElement(set, element) || (isField && inner !== undefined);
    const itemSchema = schema && (element[0] === 'f' ? memberSchema(schema, name) : itemsOf(schema));
    members[element] = member(isMember, inner ? withStructs(inner, itemSchema) : {}) as FieldSet;
  }
  return members;
}

const itemsOf = (schema: Schema): Schema | undefined => (schema.type === 'array' ? schema.items : undefined);

/**
 * `merged` without what its applier owned before (`last`) and nobody owns any more (`owned`, which includes what he
 * applies now). What others own stays, with everything on the way to it, and so does what nobody ever owned.
 */
export function pruned(merged: JsonObject, last: FieldSet, owned: FieldSet, schema: Schema): JsonObject {
  if (isEmpty(difference(last, owned))) return merged;
  const lastOwned = withStructs(last, schema);
  const present = withStructs(fieldsOf(merged, schema), schema);
  const untouched = withStructs(fieldsOf(withoutFields(merged, lastOwned, schema), schema), schema);
  const withOwned = withoutFields(
    merged,
    difference(difference(present, untouched), withStructs(owned, schema)),
    schema,
  );
  const kept = withStructs(fieldsOf(withOwned, schema), schema);
  return withoutFields(merged, intersection(difference(present, kept), lastOwned), schema);
}
