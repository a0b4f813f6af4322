import {
  decodeManagers,
  type JsonObject,
  type ManagedFieldsEntry,
  type ResourceKey,
  versionOfWrite,
} from '@periplus/apimachinery';
import type { KeyValue } from '@periplus/etcd';
import { storeProto } from '@periplus/proto';
import type { Cipher } from './cipher.ts';
import type { Keys } from './keys.ts';
import { ownerReferencesText } from './owner-references-text.ts';
import type { Provenance, StoredObject } from './types.ts';
import { behindVersion, managersMember, withoutVersion, withVersion } from './versioned-json.ts';

const { Provenance: ProvenanceMessage, Record: RecordMessage, Tombstone: TombstoneMessage } = storeProto.store.v1;

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
  /** Final JSON, with the encoded provenance and managers right behind its end in the same memory. */
  bytes: Buffer;
  versionAt: number;
  provenanceLength: number;
  /** Of the member managedFields in the JSON. */
  managersLength: number;
  managersCodeLength: number;
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
  readonly #managersLength: number;
  readonly #managersCodeLength: number;

  constructor(parts: RecordParts) {
    this.key = parts.key;
    this.revision = parts.revision;
    this.createRevision = parts.createRevision;
    this.index = parts.index;
    this.bytes = parts.bytes;
    this.#versionAt = parts.versionAt;
    this.#provenanceLength = parts.provenanceLength;
    this.#managersLength = parts.managersLength;
    this.#managersCodeLength = parts.managersCodeLength;
  }

  get resourceVersion(): string {
    return versionOfWrite(this.revision, this.index);
  }

  get provenance(): Provenance {
    return decodeProvenance(this.#behind(0, this.#provenanceLength));
  }

  /**
   * The object. Who manages it takes half of its JSON and is not parsed: sets of fields that objects share are found by
   * their code, and are the same for all of them.
   */
  parse(): JsonObject {
    if (this.#managersLength === 0) return JSON.parse(this.bytes.toString()) as JsonObject;
    const start = behindVersion(this.#versionAt, this.resourceVersion);
    const text = this.bytes.toString('utf8', 0, start) + this.bytes.toString('utf8', start + this.#managersLength);
    const object = JSON.parse(text) as JsonObject & { metadata: { managedFields?: readonly ManagedFieldsEntry[] } };
    object.metadata.managedFields = decodeManagers(this.#behind(this.#provenanceLength, this.#managersCodeLength));
    return object;
  }

  /** Its owners as JSON, '' when it has none. */
  get ownerReferencesText(): string {
    return ownerReferencesText(this.bytes, this.#versionAt);
  }

  /** The last state with the version and the provenance of its deletion. */
  deletion(revision: number, { index, provenance }: Tombstone): RecordParts {
    const versionAt = this.#versionAt;
    const json = withoutVersion(this.bytes, versionAt, this.resourceVersion);
    const whole = { json, versionAt, confidential: null, confidentialMetadata: null };
    const code = this.#behind(this.#provenanceLength, this.#managersCodeLength);
    const bytes = withVersion(whole, versionOfWrite(revision, index), {
      ...{ allocate: Buffer.allocUnsafeSlow, trailer: Buffer.concat([provenance, code]) },
    });
    const { key, createRevision } = this;
    return {
      ...{ key, revision, createRevision, index, bytes, versionAt, provenanceLength: provenance.length },
      ...{ managersLength: this.#managersLength, managersCodeLength: code.length },
    };
  }

  #behind(start: number, length: number): Buffer {
    const { buffer, byteOffset, length: end } = this.bytes;
    return Buffer.from(buffer, byteOffset + end + start, length);
  }
}

export interface ReadOptions {
  /** null leaves confidential members out. */
  cipher: Cipher | null;
  /** Leaves out who manages which field, which only clients want to know. */
  withoutManagers?: boolean;
}

/**
 * Throws when the value is not a record, or when its sealed part was tampered with. `context` is what it was
 * sealed for: the registry key.
 */
export function recordParts(
  kv: KeyValue,
  key: ResourceKey,
  context: string,
  { cipher, withoutManagers = false }: ReadOptions,
): RecordParts {
  const { object, versionAt, index, provenance, sealed, sealedMetadata, managers } = RecordMessage.decode(kv.value);
  if (versionAt === 0 || versionAt >= object.length) throw new Error(`the value of ${kv.key} is not a record`);
  const unversioned = {
    ...{ json: asBuffer(object), versionAt },
    confidential: opened(sealed, context, cipher),
    confidentialMetadata: opened(sealedMetadata, context, cipher),
  };
  const code = withoutManagers ? NOTHING : asBuffer(managers);
  const member = managersMember(code);
  const bytes = withVersion(unversioned, versionOfWrite(kv.modRevision, index), {
    ...{ allocate: Buffer.allocUnsafeSlow, managers: member },
    trailer: code.length === 0 ? provenance : Buffer.concat([provenance, code]),
  });
  return {
    ...{ key, revision: kv.modRevision, createRevision: kv.createRevision, index, bytes, versionAt },
    ...{ provenanceLength: provenance.length },
    ...{ managersLength: Buffer.byteLength(member), managersCodeLength: code.length },
  };
}

const NOTHING = Buffer.alloc(0);

/** null where nothing is sealed, or we have no keys. Throws when the sealed part was tampered with. */
function opened(
  sealed: storeProto.store.v1.ISealed | null | undefined,
  context: string,
  cipher: Cipher | null,
): Buffer | null {
  if (!sealed || cipher === null) return null;
  const { keyId, nonce, ciphertext } = sealed as storeProto.store.v1.Sealed;
  return cipher.open({ keyId, nonce: asBuffer(nonce), ciphertext: asBuffer(ciphertext) }, context);
}

/** Decodes a record read from the registry. Members that no key of ours opens are missing. */
export function decodeRecord(kv: KeyValue, keys: Keys, cipher: Cipher | null): StoredRecord {
  const key = keys.parseRegistry(kv.key);
  if (key === undefined) throw new Error(`${kv.key} is not the key of an object`);
  return new StoredRecord(recordParts(kv, key, kv.key, { cipher }));
}

/** Decodes the copy of an object's record in a node's inbox, as a node needs it. */
export function decodeInboxRecord(kv: KeyValue, keys: Keys): StoredRecord {
  const key = keys.parseInbox(kv.key)?.key;
  if (key === undefined) throw new Error(`${kv.key} is not a key of an inbox`);
  return new StoredRecord(recordParts(kv, key, keys.registry(key), { cipher: null, withoutManagers: true }));
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
