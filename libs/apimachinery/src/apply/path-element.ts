import { isJsonObject, memberOf } from '../json-value.ts';
import type { JsonObject, JsonValue } from '../object.ts';
import type { ArraySchema } from '../schema.ts';

/** One step of a path as FieldsV1 writes it: `f:replicas`, `k:{"name":"main"}`, `v:"a.example/finalizer"`, `i:0`. */
export const fieldElement = (name: string): string => `f:${name}`;

const itemOfSet = (item: JsonValue): string => `v:${JSON.stringify(item)}`;

/** The key that identifies an item of a list map; undefined when the item has none of its members. */
function itemOfMap(item: JsonValue, { keys = [], keyDefaults }: ArraySchema): string | undefined {
  if (!isJsonObject(item)) return undefined;
  let members = '';
  for (const key of inOrder(keys)) {
    const value = memberOf(item, key) ?? keyDefaults?.[key];
    if (value !== undefined) members += `${members && ','}${JSON.stringify(key)}:${JSON.stringify(value)}`;
  }
  return members === '' ? undefined : `k:{${members}}`;
}

const isSorted = (keys: readonly string[]): boolean => keys.every((key, i) => i === 0 || (keys[i - 1] as string) < key);
const inOrder = (keys: readonly string[]): readonly string[] => (isSorted(keys) ? keys : [...keys].sort());

/** Undefined for an item without its key, which nobody can own. */
export const elementOf = (item: JsonValue, schema: ArraySchema): string | undefined =>
  (schema.applied ?? schema.list) === 'set' ? itemOfSet(item) : itemOfMap(item, schema);

/** As error messages show it: `.replicas`, `[name="main"]`, `[="a.example/finalizer"]`, `[0]`. */
export function describeElement(element: string): string {
  const text = element.slice(2);
  switch (element[0]) {
    case 'k': {
      const members = Object.entries(JSON.parse(text) as JsonObject);
      return `[${members.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`;
    }
    case 'v':
      return `[=${JSON.stringify(JSON.parse(text))}]`;
    case 'i':
      return `[${text}]`;
    default:
      return `.${text}`;
  }
}

export const describePath = (path: readonly string[]): string => path.map(describeElement).join('');

/** The same element as this library writes it; undefined when it is none. */
export function canonicalElement(element: string): string | undefined {
  const text = element.slice(2);
  if (element[1] !== ':') return undefined;
  if (element[0] === 'f') return element;
  if (element[0] === 'i') return /^-?\d+$/.test(text) ? element : undefined;
  if (element[0] !== 'k' && element[0] !== 'v') return undefined;
  try {
    const value = JSON.parse(text) as JsonValue;
    if (element[0] === 'v') return itemOfSet(value);
    return isJsonObject(value) ? itemOfMap(value, { ...ANY_LIST, keys: Object.keys(value) }) : undefined;
  } catch {
    return undefined;
  }
}

const ANY_LIST: ArraySchema = { type: 'array', items: { type: 'any' }, list: 'map' };
