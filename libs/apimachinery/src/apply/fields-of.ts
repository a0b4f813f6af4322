import { isJsonObject } from '../json-value.ts';
import type { DeepReadonly, FieldSet, JsonObject, JsonValue } from '../object.ts';
import type { ArraySchema, Schema } from '../schema.ts';
import { LEAF, NO_FIELDS, SELF } from './field-set.ts';
import { elementOf, fieldElement } from './path-element.ts';

const ANYTHING: Schema = { type: 'any' };

/** Whether a value of `schema` is owned as a whole, not by its parts. */
export const isOneValue = (schema: Schema): boolean => {
  switch (schema.type) {
    case 'object':
    case 'map':
      return schema.atomic === true;
    case 'array':
      return (schema.applied ?? schema.list) === 'atomic';
    default:
      return true;
  }
};

export function memberSchema(schema: Schema, name: string): Schema {
  if (schema.type === 'map') return schema.values;
  return (schema.type === 'object' && Object.hasOwn(schema.properties, name) && schema.properties[name]) || ANYTHING;
}

/**
 * What somebody who applies `object` owns: its leaves, the items of its lists and maps, and empty objects. Structs
 * and lists themselves are nobody's.
 */
export const fieldsOf = (object: DeepReadonly<JsonObject>, schema: Schema): FieldSet =>
  membersOf(object as JsonObject, schema, fieldsAt) ?? NO_FIELDS;

/** As `fieldsOf`, with every struct, list and map on the way: all that appears when the value does. */
export const everyFieldOf = (value: JsonValue, schema: Schema): FieldSet => {
  if (isOneValue(schema) || typeof value !== 'object' || value === null) return LEAF;
  return membersOf(value, schema, everyFieldOf, true) ?? LEAF;
};

type FieldsAt = (value: JsonValue, schema: Schema, isItem: boolean) => FieldSet | undefined;

const fieldsAt: FieldsAt = (value, schema, isItem) => {
  if (isOneValue(schema) || typeof value !== 'object' || value === null) return LEAF;
  const members = membersOf(value, schema, fieldsAt, isItem);
  return members ?? (isItem || !Array.isArray(value) ? LEAF : undefined);
};

/** The members of a value that has its parts owned; undefined when there are none. */
function membersOf(value: JsonObject | JsonValue[], schema: Schema, at: FieldsAt, isIn = false): FieldSet | undefined {
  const members: Record<string, FieldSet> = isIn ? { [SELF]: LEAF } : {};
  let isBare = true;
  const add = (element: string | undefined, item: JsonValue, itemSchema: Schema, isItem: boolean): void => {
    const node = element === undefined ? undefined : at(item, itemSchema, isItem);
    if (node === undefined) return;
    members[element as string] = node;
    isBare = false;
  };
  if (Array.isArray(value)) {
    const { items } = schema as ArraySchema;
    for (const item of value) add(elementOf(item, schema as ArraySchema), item, items, true);
  } else if (isJsonObject(value)) {
    const isMap = schema.type === 'map';
    for (const name in value) {
      const item = value[name];
      if (item !== undefined) add(fieldElement(name), item, memberSchema(schema, name), isMap);
    }
  }
  return isBare ? undefined : members;
}
