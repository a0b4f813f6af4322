import { isJsonObject } from '../json-value.ts';
import type { DeepReadonly, FieldSet, JsonObject, JsonValue } from '../object.ts';
import type { ArraySchema, ObjectSchema, Schema } from '../schema.ts';
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
  membersOf(object as JsonObject, schema) ?? NO_FIELDS;

/**
 * As `fieldsOf`, with every struct, list and map on the way: all that appears when the value does. Runs on every
 * create, so it goes by what each schema was found to be the first time.
 */
export const everyFieldOf = (value: JsonValue, schema: Schema): FieldSet => {
  if (typeof value !== 'object' || value === null || isOneValue(schema)) return LEAF;
  const set: Record<string, FieldSet> = { [SELF]: LEAF };
  let isBare = true;
  if (Array.isArray(value)) {
    const { items } = schema as ArraySchema;
    for (let i = 0; i < value.length; i++) {
      const element = elementOf(value[i] as JsonValue, schema as ArraySchema);
      if (element === undefined) continue;
      set[element] = everyFieldOf(value[i] as JsonValue, items);
      isBare = false;
    }
  } else {
    const members = schema.type === 'object' ? membersOfStruct(schema) : undefined;
    for (const name in value) {
      const item = value[name];
      if (item === undefined) continue;
      const found = members?.get(name);
      if (found?.isOneValue) set[found.element] = LEAF;
      else set[found?.element ?? fieldElement(name)] = everyFieldOf(item, found?.schema ?? memberSchema(schema, name));
      isBare = false;
    }
  }
  return isBare ? LEAF : set;
};

interface Member {
  readonly element: string;
  readonly schema: Schema;
  readonly isOneValue: boolean;
}

/** Schemas live as long as their kinds. */
const structs = new WeakMap<ObjectSchema, ReadonlyMap<string, Member>>();

function membersOfStruct(schema: ObjectSchema): ReadonlyMap<string, Member> {
  let members = structs.get(schema);
  if (!members) {
    members = new Map(
      Object.entries(schema.properties).map(([name, of]) => [
        name,
        { element: fieldElement(name), schema: of, isOneValue: isOneValue(of) },
      ]),
    );
    structs.set(schema, members);
  }
  return members;
}

const isEmptyObject = (value: JsonObject | JsonValue[]): boolean =>
  !Array.isArray(value) && Object.keys(value).length === 0;

const fieldsAt = (value: JsonValue, schema: Schema, isItem: boolean): FieldSet | undefined => {
  if (isOneValue(schema) || typeof value !== 'object' || value === null) return LEAF;
  const members = membersOf(value, schema, isItem);
  return members ?? (isItem || isEmptyObject(value) ? LEAF : undefined);
};

/** The members of a value that has its parts owned; undefined when there are none. */
function membersOf(value: JsonObject | JsonValue[], schema: Schema, isIn = false): FieldSet | undefined {
  const members: Record<string, FieldSet> = isIn ? { [SELF]: LEAF } : {};
  let isBare = true;
  const add = (element: string | undefined, item: JsonValue, itemSchema: Schema, isItem: boolean): void => {
    const node = element === undefined ? undefined : fieldsAt(item, itemSchema, isItem);
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
