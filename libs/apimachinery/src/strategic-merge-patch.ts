import { cloneJson, isJsonObject, memberOf, setMember } from './json-value.ts';
import type { JsonObject, JsonValue } from './object.ts';
import type { ArraySchema, Schema } from './schema.ts';
import { badRequest, rejectedRequest } from './status-error.ts';

const DIRECTIVE = '$patch';
const RETAIN_KEYS = '$retainKeys';
const DELETE_PREFIX = '$deleteFromPrimitiveList/';
const ORDER_PREFIX = '$setElementOrder/';

/**
 * Applies a strategic merge patch: like a merge patch, but lists of kind `map` merge by the first of their keys,
 * lists of kind `set` unite, and directives (`$patch`, `$retainKeys`, `$deleteFromPrimitiveList/x`,
 * `$setElementOrder/x`) steer it. The result shares nothing with the arguments. Throws BadRequest or Invalid.
 * https://github.com/kubernetes/community/blob/main/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 */
export function applyStrategicMergePatch(document: JsonObject, patch: JsonValue, schema: Schema): JsonObject {
  if (!isJsonObject(patch)) throw badRequest('invalid JSON document');
  return mergeObjects(cloneJson(document), cloneJson(patch), schema);
}

/** Both arguments are ours to change. Returns the merged object. */
function mergeObjects(original: JsonObject, patch: JsonObject, schema: Schema): JsonObject {
  const directive = memberOf(patch, DIRECTIVE);
  if (directive === 'replace') return withoutDirectives(patch, schema) as JsonObject;
  if (directive === 'delete') return {};
  if (directive !== undefined && directive !== 'merge') throw unknownDirective(directive, patch);
  retainKeys(original, patch);
  for (const name of Object.keys(patch)) {
    if (name.startsWith(ORDER_PREFIX)) mergeInOrder(original, patch, name.slice(ORDER_PREFIX.length), schema);
  }
  for (const name of Object.keys(patch)) {
    if (!isDirective(name)) mergeMember(original, name, patch[name] as JsonValue, memberSchema(schema, name));
  }
  for (const name of Object.keys(patch)) {
    if (name.startsWith(DELETE_PREFIX)) deleteScalars(original, name.slice(DELETE_PREFIX.length), patch[name]);
  }
  return original;
}

const isDirective = (name: string): boolean =>
  name.startsWith('$') &&
  (name === DIRECTIVE || name === RETAIN_KEYS || name.startsWith(DELETE_PREFIX) || name.startsWith(ORDER_PREFIX));

const ANYTHING: Schema = { type: 'any' };

function memberSchema(schema: Schema, name: string): Schema {
  if (schema.type === 'map') return schema.values;
  if (schema.type === 'object' && Object.hasOwn(schema.properties, name)) return schema.properties[name] ?? ANYTHING;
  return ANYTHING;
}

function mergeMember(original: JsonObject, name: string, change: JsonValue, schema: Schema): void {
  if (change === null) {
    delete original[name];
    return;
  }
  const old = memberOf(original, name);
  if (isJsonObject(old) && isJsonObject(change) && schema.type !== 'any' && !isReplaced(schema)) {
    setMember(original, name, mergeObjects(old, change, schema));
  } else if (Array.isArray(old) && Array.isArray(change) && schema.type === 'array') {
    setMember(original, name, mergeLists(old, change, schema));
  } else {
    const added = withoutDirectives(change, schema);
    if (added !== undefined) setMember(original, name, added);
  }
}

const isReplaced = (schema: Schema): boolean => schema.type === 'object' && schema.replaced === true;

/** What a patch means where there is nothing to merge with. Undefined: it only deletes. */
function withoutDirectives(patch: JsonValue, schema: Schema): JsonValue | undefined {
  if (schema.type === 'any') return patch;
  if (Array.isArray(patch)) {
    const items = schema.type === 'array' ? schema.items : ANYTHING;
    return patch.filter((item) => !isInstruction(item)).map((item) => withoutDirectives(item, items) as JsonValue);
  }
  if (!isJsonObject(patch)) return patch;
  if (memberOf(patch, DIRECTIVE) === 'delete') return undefined;
  for (const name of Object.keys(patch)) {
    const member = patch[name] as JsonValue;
    const kept =
      member === null || isDirective(name) ? undefined : withoutDirectives(member, memberSchema(schema, name));
    if (kept === undefined) delete patch[name];
    else if (kept !== member) setMember(patch, name, kept);
  }
  return patch;
}

/** An item of a list that says what to do with others, and is no item itself. */
const isInstruction = (item: JsonValue): boolean => {
  const directive = isJsonObject(item) ? memberOf(item, DIRECTIVE) : undefined;
  return directive === 'delete' || directive === 'replace';
};

/** Members that are not named go; what the patch sets must be named. */
function retainKeys(original: JsonObject, patch: JsonObject): void {
  const names = memberOf(patch, RETAIN_KEYS);
  if (names === undefined) return;
  if (!Array.isArray(names)) throw badRequest('invalid patch format of retainKeys');
  const retained = new Set(names);
  for (const name in patch) {
    if (patch[name] !== null && !isDirective(name) && !retained.has(name)) {
      throw badRequest('invalid patch format of retainKeys');
    }
  }
  for (const name of Object.keys(original)) {
    if (!retained.has(name)) delete original[name];
  }
}

function deleteScalars(original: JsonObject, name: string, scalars: JsonValue | undefined): void {
  if (!Array.isArray(scalars)) throw badRequest('invalid patch format of primitive list');
  const old = memberOf(original, name);
  if (!Array.isArray(old)) return;
  const deleted = new Set(scalars);
  setMember(
    original,
    name,
    old.filter((item) => !deleted.has(item)),
  );
}

/** Merges the list `name` and sorts it as `$setElementOrder/name` says; takes the list out of the patch. */
function mergeInOrder(original: JsonObject, patch: JsonObject, name: string, schema: Schema): void {
  const order = patch[ORDER_PREFIX + name];
  const change = memberOf(patch, name);
  const old = memberOf(original, name);
  if (!Array.isArray(order)) throw badRequest('invalid patch format of setElementOrder list');
  const list = memberSchema(schema, name);
  if (change === null || list.type !== 'array' || list.list === 'atomic') return;
  if ((change !== undefined && !Array.isArray(change)) || (old !== undefined && !Array.isArray(old))) {
    throw badRequest('invalid patch format of setElementOrder list');
  }
  const key = list.keys?.[0];
  checkOrder(change ?? [], order, key);
  delete patch[name];
  const live = old ?? [];
  const merged = change ? mergeLists([...live], change, list) : live;
  if (old || change) setMember(original, name, inOrder(merged, order, live, key));
}

/** The items that a patch lists must all be in the order list, in the same order. */
function checkOrder(change: JsonValue[], order: JsonValue[], key: string | undefined): void {
  let place = 0;
  for (const item of change) {
    if (isJsonObject(item) && Object.hasOwn(item, DIRECTIVE)) continue;
    const id = identityOf(item, key);
    while (place < order.length && identityOf(order[place] as JsonValue, key) !== id) place++;
    if (place === order.length) {
      throw badRequest(
        `The order in patch list:\n${JSON.stringify(change)}\n doesn't match $setElementOrder list:\n${JSON.stringify(order)}\n`,
      );
    }
    place++;
  }
}

/** The value that tells the items of a merged list apart: its key's value, or the scalar itself. */
function identityOf(item: JsonValue, key: string | undefined): JsonValue {
  if (!isJsonObject(item)) return item;
  const id = key === undefined ? undefined : memberOf(item, key);
  if (id === undefined) {
    throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key ?? ''}`);
  }
  return id;
}

function mergeLists(old: JsonValue[], change: JsonValue[], schema: ArraySchema): JsonValue[] {
  if (schema.list === 'atomic') return withoutDirectives(change, schema) as JsonValue[];
  if (old.length === 0 && change.length === 0) return old;
  checkItemTypes(old, change);
  const key = schema.keys?.[0];
  if (!isJsonObject(change[0] ?? old[0])) return inOrder([...new Set([...old, ...change])], change, old, undefined);
  if (key === undefined) throw badRequest('cannot merge lists without merge key');
  const { kept, changes, replaced } = followDirectives(old, change, key);
  if (replaced) return withoutDirectives(changes, schema) as JsonValue[];
  const merged = [...kept];
  const placeOf = new Map(
    merged.map((item, place) => [identityOf(item, key), place]).reverse() as [JsonValue, number][],
  );
  for (const item of changes) {
    const id = identityOf(item, key);
    const place = placeOf.get(id);
    if (place === undefined) {
      placeOf.set(id, merged.length);
      merged.push(withoutDirectives(item, schema.items) as JsonValue);
    } else {
      merged[place] = mergeObjects(merged[place] as JsonObject, item as JsonObject, schema.items);
    }
  }
  return inOrder(merged, changes, kept, key);
}

function checkItemTypes(...lists: JsonValue[][]): void {
  let type: string | undefined;
  for (const list of lists) {
    for (const item of list) {
      if (Array.isArray(item)) throw rejectedRequest('lists of lists are not supported');
      type ??= typeof item;
      if (typeof item !== type) throw badRequest(`list element types are not identical: ${JSON.stringify(lists)}`);
    }
  }
}

/** Items of a patch list that say `$patch: delete` or `$patch: replace`. */
function followDirectives(old: JsonValue[], change: JsonValue[], key: string) {
  let kept = old;
  let replaced = false;
  const changes: JsonValue[] = [];
  for (const item of change as JsonObject[]) {
    const directive = memberOf(item, DIRECTIVE);
    if (directive === undefined || directive === 'merge') {
      changes.push(item);
    } else if (directive === 'delete') {
      const id = identityOf(item, key);
      kept = kept.filter((candidate) => identityOf(candidate, key) !== id);
    } else if (directive === 'replace') {
      replaced = true;
    } else {
      throw unknownDirective(directive, item);
    }
  }
  return { kept, changes, replaced };
}

const unknownDirective = (directive: JsonValue, where: JsonObject) =>
  badRequest(
    `unknown patch type: ${typeof directive === 'string' ? directive : JSON.stringify(directive)} in map: ${JSON.stringify(where)}`,
  );

/**
 * Sorts a merged list: the items that `order` names stand in its order, the others keep the order they have
 * among the live items, and one of those goes before a named item only when it did so before.
 */
function inOrder(merged: JsonValue[], order: JsonValue[], live: JsonValue[], key: string | undefined): JsonValue[] {
  const placeIn = (list: JsonValue[]): Map<JsonValue, number> =>
    new Map(list.map((item, place) => [identityOf(item, key), place] as [JsonValue, number]).reverse());
  const ordered = placeIn(order);
  const lived = placeIn(live);
  const placeOf = (places: Map<JsonValue, number>, item: JsonValue) => places.get(identityOf(item, key));
  const byPlace = (places: Map<JsonValue, number>) => (a: JsonValue, b: JsonValue) =>
    (placeOf(places, a) ?? 0) - (placeOf(places, b) ?? 0);
  const named = merged.filter((item) => placeOf(ordered, item) !== undefined).sort(byPlace(ordered));
  const others = merged.filter((item) => placeOf(ordered, item) === undefined).sort(byPlace(lived));
  const result: JsonValue[] = [];
  let next = 0;
  for (const item of named) {
    const place = placeOf(lived, item);
    while (next < others.length && place !== undefined) {
      const other = placeOf(lived, others[next] as JsonValue);
      if (other === undefined || other >= place) break;
      result.push(others[next++] as JsonValue);
    }
    result.push(item);
  }
  return [...result, ...others.slice(next)];
}
