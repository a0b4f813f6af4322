import { type JsonObject, type ResourceKey, versionOfWrite } from '@periplus/apimachinery';
import type { KeyValue } from '@periplus/etcd';
import { storeProto } from '@periplus/proto';
import type { Cipher } from './cipher.ts';
import type { Keys } from './keys.ts';
import type { Provenance, StoredObject } from './types.ts';

const { Provenance: ProvenanceMessage, Record: RecordMessage, Tombstone: TombstoneMessage } = storeProto.store.v1;

const COMMA = 0x2c;
const NOTHING = new Uint8Array(0);

/** An object as JSON that misses its resourceVersion. */
export interface Unversioned {
  /** Without the sealed members. */
  json: Buffer;
  /** Where in `json` the resourceVersion belongs: just behind `"metadata":{`. */
  versionAt: number;
  /** `{"data":{...}}`, to be encrypted; null when nothing is confidential. */
  confidential: Buffer | null;
}

/** Orders the members so that the resourceVersion's place is known, and sets apart those that are confidential. */
export function toUnversioned(object: JsonObject, confidential: readonly string[]): Unversioned {
  const { kind, apiVersion, metadata } = object;
  const head = `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":{`;
  const members = JSON.stringify(withoutVersion(metadata));
  if (members === '{}') throw new Error('an object without metadata cannot be stored');
  let json = head + members.slice(1);
  let hidden = '';
  for (const member in object) {
    if (member === 'kind' || member === 'apiVersion' || member === 'metadata') continue;
    const value = JSON.stringify(object[member]);
    if (value === undefined) continue;
    if (confidential.includes(member)) hidden += `,${JSON.stringify(member)}:${value}`;
    else json += `,${JSON.stringify(member)}:${value}`;
  }
  return {
    json: Buffer.from(`${json}}`),
    versionAt: Buffer.byteLength(head),
    confidential: hidden === '' ? null : Buffer.from(`{${hidden.slice(1)}}`),
  };
}

function withoutVersion(metadata: unknown): JsonObject {
  if (typeof metadata !== 'object' || metadata === null) return {};
  if (!('resourceVersion' in metadata)) return metadata as JsonObject;
  const { resourceVersion: _, ...rest } = metadata as JsonObject;
  return rest;
}

const versionMember = (version: string): string => `"resourceVersion":"${version}",`;

/**
 * The object as clients get it. One copy, with room for `trailer` behind it, which lies in the same memory but
 * not in the returned buffer.
 */
export function toVersioned(
  { json, versionAt, confidential }: Unversioned,
  version: string,
  trailer: Uint8Array = NOTHING,
): Buffer {
  const member = versionMember(version);
  const openLength = json.length + member.length;
  const length = confidential === null ? openLength : openLength + confidential.length - 1;
  const bytes = Buffer.allocUnsafeSlow(length + trailer.length);
  bytes.set(json.subarray(0, versionAt));
  bytes.write(member, versionAt, 'latin1');
  bytes.set(json.subarray(versionAt), versionAt + member.length);
  if (confidential !== null) {
    // `...}` and `{"data":...}` become `...,"data":...}`.
    bytes.set(confidential, openLength - 1);
    bytes[openLength - 1] = COMMA;
  }
  bytes.set(trailer, length);
  return bytes.subarray(0, length);
}

/** The value to store for one write. `index` is its place in the transaction. */
export function encodeRecord(
  { json, versionAt, confidential }: Unversioned,
  write: { index: number; provenance: Uint8Array; cipher: Cipher | null; context: string },
): Buffer {
  const { index, provenance, cipher, context } = write;
  let sealed = null;
  if (confidential !== null) {
    if (cipher === null) throw new Error(`no key to seal ${context} with`);
    sealed = cipher.seal(confidential, context);
  }
  return asBuffer(RecordMessage.encode({ object: json, versionAt, index, provenance, sealed }).finish());
}

export const encodeTombstone = (index: number, provenance: Uint8Array): Buffer =>
  asBuffer(TombstoneMessage.encode({ index, provenance }).finish());

export const encodeProvenance = (provenance: Provenance): Uint8Array => ProvenanceMessage.encode(provenance).finish();

export function decodeProvenance(bytes: Uint8Array): Provenance {
  const { actor, verb, timeMs, requestId, cause } = ProvenanceMessage.decode(bytes);
  return {
    ...{ actor, verb, timeMs, requestId },
    cause: cause
      ? { key: cause.key ?? '', resourceVersion: cause.resourceVersion ?? '', reconciler: cause.reconciler ?? '' }
      : null,
  };
}

/** Who deleted an object, and at which place of the transaction. */
export interface Tombstone {
  index: number;
  /** Still encoded. */
  provenance: Uint8Array;
}

export function decodeTombstone(value: Buffer): Tombstone {
  const { index, provenance } = TombstoneMessage.decode(value);
  return { index, provenance };
}

/** What a `StoredRecord` is made of. */
export interface RecordParts {
  key: ResourceKey;
  revision: number;
  createRevision: number;
  index: number;
  /** Final JSON, with the encoded provenance right behind its end in the same memory. */
  bytes: Buffer;
  versionAt: number;
  provenanceLength: number;
}

/** An object as read from etcd. Immutable; what is seldom asked for is decoded when asked for. */
export class StoredRecord implements StoredObject {
  readonly key: ResourceKey;
  readonly revision: number;
  readonly createRevision: number;
  readonly index: number;
  readonly bytes: Buffer;
  readonly #versionAt: number;
  readonly #provenanceLength: number;

  constructor(parts: RecordParts) {
    this.key = parts.key;
    this.revision = parts.revision;
    this.createRevision = parts.createRevision;
    this.index = parts.index;
    this.bytes = parts.bytes;
    this.#versionAt = parts.versionAt;
    this.#provenanceLength = parts.provenanceLength;
  }

  get resourceVersion(): string {
    return versionOfWrite(this.revision, this.index);
  }

  get provenance(): Provenance {
    const { buffer, byteOffset, length } = this.bytes;
    return decodeProvenance(Buffer.from(buffer, byteOffset + length, this.#provenanceLength));
  }

  /** The last state with the version and the provenance of its deletion. */
  deletion(revision: number, { index, provenance }: Tombstone): RecordParts {
    const member = versionMember(this.resourceVersion).length;
    const versionAt = this.#versionAt;
    const json = Buffer.concat([this.bytes.subarray(0, versionAt), this.bytes.subarray(versionAt + member)]);
    const bytes = toVersioned({ json, versionAt, confidential: null }, versionOfWrite(revision, index), provenance);
    const { key, createRevision } = this;
    return { key, revision, createRevision, index, bytes, versionAt, provenanceLength: provenance.length };
  }
}

/**
 * Throws when the value is not a record, or when its sealed part was tampered with. `context` is what it was
 * sealed for: the registry key.
 */
export function recordParts(kv: KeyValue, key: ResourceKey, context: string, cipher: Cipher | null): RecordParts {
  const { object, versionAt, index, provenance, sealed } = RecordMessage.decode(kv.value);
  if (versionAt === 0 || versionAt >= object.length) throw new Error(`the value of ${kv.key} is not a record`);
  let confidential: Buffer | null = null;
  if (sealed && cipher !== null) {
    const { keyId, nonce, ciphertext } = sealed as storeProto.store.v1.Sealed;
    confidential = cipher.open({ keyId, nonce: asBuffer(nonce), ciphertext: asBuffer(ciphertext) }, context);
  }
  const unversioned = { json: asBuffer(object), versionAt, confidential };
  const bytes = toVersioned(unversioned, versionOfWrite(kv.modRevision, index), provenance);
  return {
    ...{ key, revision: kv.modRevision, createRevision: kv.createRevision, index, bytes, versionAt },
    provenanceLength: provenance.length,
  };
}

/** Decodes a record read from the registry. Members that no key of ours opens are missing. */
export function decodeRecord(kv: KeyValue, keys: Keys, cipher: Cipher | null): StoredRecord {
  const key = keys.parseRegistry(kv.key);
  if (key === undefined) throw new Error(`${kv.key} is not the key of an object`);
  return new StoredRecord(recordParts(kv, key, kv.key, cipher));
}

/** Decodes the copy of a pod's record in a node's inbox. */
export function decodeInboxRecord(kv: KeyValue, keys: Keys): StoredRecord {
  const at = keys.parseInbox(kv.key);
  if (at === undefined) throw new Error(`${kv.key} is not a key of an inbox`);
  const key = { group: '', resource: 'pods', namespace: at.namespace, name: at.name };
  return new StoredRecord(recordParts(kv, key, keys.registry(key), null));
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
