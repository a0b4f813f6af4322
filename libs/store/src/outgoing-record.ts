import { encodeManagers, type JsonObject, type ManagedFieldsEntry } from '@periplus/apimachinery';
import { storeProto } from '@periplus/proto';
import type { Cipher } from './cipher.ts';
import { managersMember, type Unversioned, withVersion } from './versioned-json.ts';

/** Fields of the Record message, each with its wire type: a number, or bytes with a length in front. */
const INDEX = 0x18;
const OBJECT = 0x0a;
const VERSION_AT = 0x10;
const PROVENANCE = 0x22;
const SEALED = 0x2a;
const SEALED_METADATA = 0x32;
const MANAGERS = 0x3a;

/** Among the confidential members, the one that is not at the top. */
const ANNOTATIONS = 'metadata.annotations';
/** The index is written first, and always as two bytes (it is below 2^14), so that it can be set at the last moment. */
const INDEX_AT = 1;

/**
 * A record on its way to etcd, complete but for its place in the transaction. Written by hand into one buffer, because
 * this is where the time of a write goes: a third of what the generated encoder takes, and one copy less.
 */
export class OutgoingRecord {
  /** What etcd stores. */
  readonly value: Buffer;
  readonly #object: Unversioned;
  readonly #managersCode: Buffer;

  /** `context` is the registry key, for which the confidential members are sealed. */
  constructor(
    object: JsonObject,
    confidential: readonly string[],
    { provenance, cipher, context }: { provenance: Uint8Array; cipher: Cipher | null; context: string },
  ) {
    const { head, body, managers, hidden, hiddenMetadata } = layOut(object, confidential);
    const managersCode = encodeManagers(managers);
    const sealed = hidden && encodeSealed(hidden, cipher, context);
    const sealedMetadata = hiddenMetadata && encodeSealed(hiddenMetadata, cipher, context);
    const versionAt = Buffer.byteLength(head);
    const jsonLength = versionAt + Buffer.byteLength(body);
    const length =
      3 +
      (1 + varintLength(jsonLength) + jsonLength) +
      (1 + varintLength(versionAt)) +
      (1 + varintLength(provenance.length) + provenance.length) +
      (sealed === null ? 0 : 1 + varintLength(sealed.length) + sealed.length) +
      (sealedMetadata === null ? 0 : 1 + varintLength(sealedMetadata.length) + sealedMetadata.length) +
      (1 + varintLength(managersCode.length) + managersCode.length);
    const value = Buffer.allocUnsafe(length);
    value[0] = INDEX;
    this.value = value;
    this.index = 0;
    const jsonAt = writeVarint(value, OBJECT, jsonLength, INDEX_AT + 2);
    value.write(head + body, jsonAt);
    let at = writeVarint(value, VERSION_AT, versionAt, jsonAt + jsonLength);
    at = writeBytes(value, PROVENANCE, provenance, at);
    if (sealed !== null) at = writeBytes(value, SEALED, sealed, at);
    if (sealedMetadata !== null) at = writeBytes(value, SEALED_METADATA, sealedMetadata, at);
    writeBytes(value, MANAGERS, managersCode, at);
    const json = value.subarray(jsonAt, jsonAt + jsonLength);
    this.#object = { json, versionAt, confidential: hidden, confidentialMetadata: hiddenMetadata };
    this.#managersCode = managersCode;
  }

  /** Sets the place within the transaction. */
  set index(index: number) {
    this.value[INDEX_AT] = (index & 0x7f) | 0x80;
    this.value[INDEX_AT + 1] = index >> 7;
  }

  /** The object as clients get it. */
  versioned(resourceVersion: string): Buffer {
    const managers = managersMember(this.#managersCode);
    return withVersion(this.#object, resourceVersion, { allocate: Buffer.allocUnsafe, managers });
  }
}

/** An object as the record has it. */
interface Layout {
  /** Up to where the resourceVersion's place is. */
  readonly head: string;
  readonly body: string;
  readonly managers: readonly ManagedFieldsEntry[];
  /** What is confidential. */
  readonly hidden: Buffer | null;
  readonly hiddenMetadata: Buffer | null;
}

function layOut(object: JsonObject, confidential: readonly string[]): Layout {
  const { kind, apiVersion, metadata, ...payload } = object;
  const { managedFields = [], ...described } = withoutVersion(metadata);
  const hiddenMetadata = confidential.includes(ANNOTATIONS) ? taken(described, ['annotations']) : null;
  const hidden = taken(payload, confidential);
  const members = JSON.stringify(described);
  if (members === '{}') throw new Error('an object without metadata cannot be stored');
  const shown = JSON.stringify(payload);
  return {
    head: `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":{`,
    body: `${members.slice(1)}${shown === '{}' ? '' : ','}${shown.slice(1)}`,
    managers: managedFields as unknown as ManagedFieldsEntry[],
    hidden: hidden === null ? null : Buffer.from(hidden),
    hiddenMetadata: hiddenMetadata === null ? null : Buffer.from(`${hiddenMetadata.slice(1, -1)},`),
  };
}

/** Takes members out of an object that is ours. Returns their JSON; null when it has none of them. */
function taken(from: Record<string, unknown>, names: readonly string[]): string | null {
  const found: Record<string, unknown> = {};
  for (const name of names) {
    if (from[name] === undefined) continue;
    found[name] = from[name];
    delete from[name];
  }
  const json = JSON.stringify(found);
  return json === '{}' ? null : json;
}

function withoutVersion(metadata: unknown): JsonObject {
  if (typeof metadata !== 'object' || metadata === null) return {};
  if (!('resourceVersion' in metadata)) return metadata as JsonObject;
  const { resourceVersion: _, ...rest } = metadata as JsonObject;
  return rest;
}

function encodeSealed(plain: Buffer, cipher: Cipher | null, context: string): Uint8Array {
  if (cipher === null) throw new Error(`no key to seal ${context} with`);
  return storeProto.store.v1.Sealed.encode(cipher.seal(plain, context)).finish();
}

const varintLength = (value: number): number => {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
  return length;
};

/** Writes a tag and a number; returns where they end. */
function writeVarint(into: Buffer, tag: number, value: number, start: number): number {
  let at = start;
  into[at++] = tag;
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) into[at++] = (rest & 0x7f) | 0x80;
  into[at++] = rest;
  return at;
}

function writeBytes(into: Buffer, tag: number, bytes: Uint8Array, start: number): number {
  const at = writeVarint(into, tag, bytes.length, start);
  into.set(bytes, at);
  return at + bytes.length;
}
