import { deepEqual } from './deep-equal.ts';
import { cloneJson, isJsonObject, jsonTypeOf, memberOf, setMember } from './json-value.ts';
import type { JsonObject, JsonValue } from './object.ts';
import { badRequest, rejectedRequest, requestEntityTooLarge, type StatusError } from './status-error.ts';

/** Operations of one patch, as in kube-apiserver. */
export const JSON_PATCH_OPERATIONS_MAX = 10_000;
/** Bytes that the `copy` operations of one patch may add in all, since each may double the document. */
export const JSON_PATCH_COPY_BYTES_MAX = 3 * 1024 * 1024;

interface Operation {
  op: string;
  path: string;
  from: string | undefined;
  value: JsonValue | undefined;
}

/**
 * Applies a JSON patch (RFC 6902) all or nothing; the result shares nothing with the arguments.
 * Throws BadRequest for what is no patch, RequestEntityTooLarge over the limit of operations, and otherwise
 * Invalid with kube-apiserver's message and the failed operation as its cause.
 */
export function applyJsonPatch(document: JsonValue, patch: JsonValue): JsonValue {
  const operations = decode(patch);
  const state = { root: cloneJson(document), copiedBytes: 0 };
  for (const operation of operations) applyOperation(state, operation);
  return state.root;
}

interface State {
  root: JsonValue;
  copiedBytes: number;
}

function decode(patch: JsonValue): Operation[] {
  if (!Array.isArray(patch)) {
    throw badRequest(`json: cannot unmarshal ${jsonTypeOf(patch)} into Go value of type jsonpatch.Patch`);
  }
  if (patch.length > JSON_PATCH_OPERATIONS_MAX) {
    throw requestEntityTooLarge(
      `The allowed maximum operations in a JSON patch is ${JSON_PATCH_OPERATIONS_MAX}, got ${patch.length}`,
    );
  }
  return patch.map((item) => {
    if (!isJsonObject(item)) {
      throw badRequest(`json: cannot unmarshal ${jsonTypeOf(item)} into Go value of type jsonpatch.Operation`);
    }
    const op = memberOf(item, 'op');
    const path = memberOf(item, 'path');
    const from = memberOf(item, 'from');
    if (typeof op !== 'string') throw rejectedRequest('Unexpected kind: unknown');
    if (typeof path !== 'string') throw rejectedRequest(`${op} operation failed to decode path: missing value`);
    return { op, path, from: typeof from === 'string' ? from : undefined, value: memberOf(item, 'value') };
  });
}

function applyOperation(state: State, { op, path, from, value }: Operation): void {
  switch (op) {
    case 'add':
      add(state, path, cloneJson(value ?? null), `add operation does not apply: doc is missing path: "${path}"`);
      break;
    case 'remove':
      remove(state, path, op);
      break;
    case 'replace':
      replace(state, path, cloneJson(value ?? null));
      break;
    case 'test':
      test(state, path, value ?? null);
      break;
    case 'move':
    case 'copy':
      moveOrCopy(state, op, from, path);
      break;
    default:
      throw rejectedRequest(`Unexpected kind: ${op}`);
  }
}

/** RFC 6901. The root is the empty list of tokens. */
function tokensOf(pointer: string): string[] | undefined {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) return undefined;
  return pointer
    .slice(1)
    .split('/')
    .map((token) => (token.includes('~') ? token.replaceAll('~1', '/').replaceAll('~0', '~') : token));
}

interface Place {
  container: JsonObject | JsonValue[];
  key: string;
}

/** Where the value behind `pointer` is or would be; undefined when there is no such container. */
function findPlace(root: JsonValue, pointer: string): Place | undefined {
  const tokens = tokensOf(pointer);
  const key = tokens?.pop();
  if (!tokens || key === undefined) return undefined;
  let container: JsonValue | undefined = root;
  for (const token of tokens) container = container === undefined ? undefined : childOf(container, token);
  return typeof container === 'object' && container !== null ? { container, key } : undefined;
}

function childOf(value: JsonValue, token: string): JsonValue | undefined {
  if (Array.isArray(value)) return value[indexOf(token, value.length - 1) ?? -1];
  return isJsonObject(value) ? memberOf(value, token) : undefined;
}

/** An array index from 0 to `indexMax`, else undefined. */
function indexOf(token: string, indexMax: number): number | undefined {
  if (!/^(0|[1-9][0-9]{0,8})$/.test(token)) return undefined;
  const index = Number(token);
  return index <= indexMax ? index : undefined;
}

const wrongIndex = (operation: string, path: string, key: string): StatusError =>
  rejectedRequest(
    `error in ${operation} for path: '${path}': Unable to access invalid index: ${key}: invalid index referenced`,
  );

function add(state: State, path: string, value: JsonValue, whenMissing: string): void {
  if (path === '') {
    state.root = value;
    return;
  }
  const place = findPlace(state.root, path);
  if (!place) throw rejectedRequest(`${whenMissing}: missing value`);
  const { container, key } = place;
  if (!Array.isArray(container)) {
    setMember(container, key, value);
    return;
  }
  const index = key === '-' ? container.length : indexOf(key, container.length);
  if (index === undefined) throw wrongIndex('add', path, key);
  container.splice(index, 0, value);
}

/** Returns what it removed. */
function remove(state: State, path: string, op: string): JsonValue {
  const place = findPlace(state.root, path);
  if (!place) throw rejectedRequest(`${op} operation does not apply: doc is missing path: "${path}": missing value`);
  const { container, key } = place;
  if (Array.isArray(container)) {
    const index = indexOf(key, container.length - 1);
    if (index === undefined) throw wrongIndex(op, path, key);
    return container.splice(index, 1)[0] as JsonValue;
  }
  const removed = memberOf(container, key);
  if (removed === undefined) {
    throw rejectedRequest(
      `error in ${op} for path: '${path}': Unable to remove nonexistent key: ${key}: missing value`,
    );
  }
  delete container[key];
  return removed;
}

/** In an object, unlike in a list, the member need not be there: kube-apiserver is more lenient than the RFC. */
function replace(state: State, path: string, value: JsonValue): void {
  if (path === '') {
    state.root = value;
    return;
  }
  const place = findPlace(state.root, path);
  if (!place) throw rejectedRequest(`replace operation does not apply: doc is missing path: ${path}: missing value`);
  const { container, key } = place;
  if (!Array.isArray(container)) {
    setMember(container, key, value);
    return;
  }
  const index = indexOf(key, container.length - 1);
  if (index === undefined) {
    throw rejectedRequest(`replace operation does not apply: doc is missing key: ${path}: missing value`);
  }
  container[index] = value;
}

function valueAt(root: JsonValue, path: string): JsonValue | undefined {
  if (path === '') return root;
  const place = findPlace(root, path);
  return place && childOf(place.container, place.key);
}

/** An absent member counts as null. */
function test(state: State, path: string, expected: JsonValue): void {
  if (path !== '' && !findPlace(state.root, path)) {
    throw rejectedRequest(`test operation does not apply: is missing path: ${path}: missing value`);
  }
  if (!deepEqual(valueAt(state.root, path) ?? null, expected)) {
    throw rejectedRequest(`testing value ${path} failed: test failed`);
  }
}

function moveOrCopy(state: State, op: 'move' | 'copy', from: string | undefined, path: string): void {
  if (from === undefined) throw rejectedRequest(`${op} operation failed to decode from: missing value`);
  const found = valueAt(state.root, from);
  if (found === undefined) {
    throw rejectedRequest(`${op} operation does not apply: doc is missing from path: ${from}: missing value`);
  }
  const whenMissing = `${op} operation does not apply: doc is missing destination path: ${path}`;
  if (op === 'move') {
    if (path === from) return;
    // Into itself: the source is gone before the destination is looked up, so it cannot be found.
    if (from !== '') remove(state, from, op);
    else throw rejectedRequest(`${whenMissing}: missing value`);
    add(state, path, found, whenMissing);
    return;
  }
  state.copiedBytes += Buffer.byteLength(JSON.stringify(found));
  if (state.copiedBytes > JSON_PATCH_COPY_BYTES_MAX) {
    throw rejectedRequest(
      `Unable to complete the copy, the accumulated size increase of copy is ${state.copiedBytes}, exceeding the limit ${JSON_PATCH_COPY_BYTES_MAX}`,
    );
  }
  add(state, path, cloneJson(found), whenMissing);
}
