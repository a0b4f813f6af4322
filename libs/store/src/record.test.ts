import { randomBytes } from 'node:crypto';
import { type JsonObject, versionOfWrite } from '@periplus/apimachinery';
import type { KeyValue } from '@periplus/etcd';
import { storeProto } from '@periplus/proto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Cipher } from './cipher.ts';
import { Keys } from './keys.ts';
import { OutgoingRecord } from './outgoing-record.ts';
import {
  decodeInboxRecord,
  decodeRecord,
  decodeTombstone,
  encodeProvenance,
  encodeTombstone,
  recordParts,
  StoredRecord,
} from './record.ts';
import type { Provenance } from './types.ts';

const keys = new Keys('/p');
const key = { group: '', resource: 'secrets', namespace: 'default', name: 'one' };
const context = keys.registry(key);
const provenance: Provenance = {
  actor: 'system:serviceaccount:kube-system:replicaset-controller',
  verb: 'create',
  timeMs: 1_795_000_000_123,
  requestId: 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
  cause: { key: 'apps/replicasets/default/web', resourceVersion: '512', reconciler: 'controller-manager/replicaset' },
};
const cipher = new Cipher([{ id: 'a', key: randomBytes(32) }]);

const kvOf = (value: Buffer, modRevision = 7, etcdKey = context): KeyValue => ({
  ...{ key: etcdKey, value, createRevision: 3, modRevision, version: 2, lease: '0' },
});
const outgoing = (object: JsonObject, confidential: string[] = [], by = provenance): OutgoingRecord =>
  new OutgoingRecord(object, confidential, { provenance: encodeProvenance(by), cipher, context });
const encode = (object: JsonObject, confidential: string[] = [], index = 5): Buffer => {
  const record = outgoing(object, confidential);
  record.index = index;
  return record.value;
};

const objects = fc
  .record({
    apiVersion: fc.string(),
    metadata: fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }),
    kind: fc.string(),
    rest: fc.dictionary(fc.string(), fc.jsonValue()),
  })
  .map(({ rest, ...fixed }) => ({ ...rest, ...fixed }) as unknown as JsonObject);
const withVersion = (object: JsonObject, resourceVersion: string): JsonObject => ({
  ...object,
  metadata: { ...(object.metadata as JsonObject), resourceVersion },
});
/** As it is once it has been JSON: without -0 and the like. */
const asJson = (object: JsonObject): JsonObject => JSON.parse(JSON.stringify(object)) as JsonObject;

describe('a record', () => {
  it('gives back the object with its resourceVersion, whatever is in it', () => {
    fc.assert(
      fc.property(
        objects,
        fc.integer({ min: 1, max: 2 ** 40 }),
        fc.integer({ min: 0, max: 127 }),
        (object, at, index) => {
          const record = decodeRecord(kvOf(encode(object, [], index), at), keys, null);
          expect(JSON.parse(record.bytes.toString())).toEqual(asJson(withVersion(object, versionOfWrite(at, index))));
          expect(record).toMatchObject({ key, revision: at, createRevision: 3, index });
          expect(record.resourceVersion).toBe(versionOfWrite(at, index));
          expect(record.provenance).toEqual(provenance);
        },
      ),
    );
  });

  it('starts with kind, apiVersion and metadata, then the resourceVersion', () => {
    const object = { spec: {}, metadata: { name: 'é' }, apiVersion: 'v1', kind: 'Pod' };
    expect(decodeRecord(kvOf(encode(object)), keys, null).bytes.toString()).toBe(
      '{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"28677","name":"é"},"spec":{}}',
    );
  });

  it('drops a resourceVersion that the object came with', () => {
    const object = { kind: 'Pod', apiVersion: 'v1', metadata: { resourceVersion: '9', name: 'a' } };
    expect(JSON.parse(decodeRecord(kvOf(encode(object)), keys, null).bytes.toString()).metadata).toEqual({
      name: 'a',
      resourceVersion: '28677',
    });
  });

  it('gives back who manages which field, or leaves it out', () => {
    const entry = {
      manager: 'é',
      operation: 'Apply',
      apiVersion: 'v1',
      time: '2026-01-01T00:00:00Z',
      fieldsType: 'FieldsV1',
    };
    const managedFields: JsonObject[] = [
      { ...entry, fieldsV1: { 'f:spec': { 'k:{"name":"ü"}': { '.': {} } } } },
      { ...entry, operation: 'Update', fieldsV1: {}, subresource: 'status' },
    ];
    const metadata = { name: 'a', annotations: { password: 'swordfish' } };
    const object = { kind: 'Secret', apiVersion: 'v1', metadata, data: { password: 'swordfish' } };
    const managed = { ...object, metadata: { managedFields, ...metadata } };
    for (const confidential of [[], ['data', 'metadata.annotations']]) {
      const kv = kvOf(encode(managed, confidential));
      const whole = new StoredRecord(recordParts(kv, key, kv.key, { cipher }));
      expect(JSON.parse(whole.bytes.toString())).toEqual(withVersion(managed, whole.resourceVersion));
      const lean = new StoredRecord(recordParts(kv, key, kv.key, { cipher, withoutManagers: true }));
      expect(JSON.parse(lean.bytes.toString())).toEqual(withVersion(object, lean.resourceVersion));
      const deleted = new StoredRecord(lean.deletion(9, { index: 0, provenance: new Uint8Array() }));
      expect(JSON.parse(deleted.bytes.toString())).toEqual(withVersion(object, deleted.resourceVersion));
      expect(whole.provenance).toEqual(provenance);
      expect(lean.provenance).toEqual(provenance);
    }
  });

  it('seals the confidential members and puts them back with the key', () => {
    fc.assert(
      fc.property(objects, fc.jsonValue(), fc.jsonValue(), (object, data, more) => {
        const secret = { ...object, data, more } as JsonObject;
        const value = encode(secret, ['data', 'more']);
        const open = decodeRecord(kvOf(value), keys, cipher);
        expect(JSON.parse(open.bytes.toString())).toEqual(asJson(withVersion(secret, open.resourceVersion)));
        const { data: _, more: __, ...rest } = secret;
        const closed = decodeRecord(kvOf(value), keys, null);
        expect(JSON.parse(closed.bytes.toString())).toEqual(asJson(withVersion(rest, closed.resourceVersion)));
      }),
    );
    const text = encode({ kind: 'Secret', apiVersion: 'v1', metadata: { name: 'a' }, data: { p: 'hunter2' } }, [
      'data',
    ]);
    expect(text.includes('hunter2')).toBe(false);
  });

  it('seals annotations, which may repeat the payload, and puts them back with the key', () => {
    const applied = { metadata: { name: 'a', annotations: { applied: 'swordfish' } }, data: { password: 'swordfish' } };
    const object = { kind: 'Secret', apiVersion: 'v1', ...applied };
    const value = encode(object, ['data', 'metadata.annotations']);
    expect(value.toString('latin1')).not.toContain('swordfish');
    expect(value.toString('latin1')).toContain('"name":"a"');
    const read = decodeRecord(kvOf(value), keys, cipher);
    expect(JSON.parse(read.bytes.toString())).toEqual({
      ...object,
      metadata: { ...applied.metadata, resourceVersion: read.resourceVersion },
    });
    expect(JSON.parse(outgoing(object, ['metadata.annotations']).versioned('7').toString()).metadata).toEqual({
      ...applied.metadata,
      resourceVersion: '7',
    });
  });

  it('opens sealed members only at the key they were sealed for', () => {
    const value = encode({ kind: 'Secret', apiVersion: 'v1', metadata: { name: 'a' }, data: { p: 'x' } }, ['data']);
    expect(() => decodeRecord(kvOf(value, 7, keys.registry({ ...key, name: 'two' })), keys, cipher)).toThrow();
  });

  it('refuses to store confidential members without a cipher', () => {
    const secret = { kind: 'Secret', metadata: { name: 'a' }, data: {} };
    const options = { provenance: new Uint8Array(), cipher: null, context };
    expect(() => new OutgoingRecord(secret, ['data'], options)).toThrow('no key to seal');
    expect(() => new OutgoingRecord({ ...secret, data: undefined as never }, ['data'], options)).not.toThrow();
  });

  it('is read by those who do not know its newer fields', () => {
    const value = encode({ kind: 'Pod', apiVersion: 'v1', metadata: { name: 'a' } });
    const newer = Buffer.concat([value, Buffer.from([0x7a, 3, 1, 2, 3]), Buffer.from([0x80, 1, 42])]);
    expect(decodeRecord(kvOf(newer), keys, null).bytes).toEqual(decodeRecord(kvOf(value), keys, null).bytes);
  });

  it('is refused when it is none', () => {
    expect(() => decodeRecord(kvOf(Buffer.alloc(0)), keys, null)).toThrow('is not a record');
    expect(() => decodeRecord(kvOf(Buffer.from('{"kind":"Pod"}')), keys, null)).toThrow();
    expect(() => decodeRecord(kvOf(encode({ metadata: { name: 'a' } }), 7, '/p/elsewhere'), keys, null)).toThrow();
    expect(() => encode({ kind: 'Pod', apiVersion: 'v1', metadata: {} })).toThrow('without metadata');
    expect(() => encode({ kind: 'Pod', apiVersion: 'v1' })).toThrow('without metadata');
  });

  it('gives the writer the same bytes as the readers', () => {
    fc.assert(
      fc.property(objects, fc.jsonValue(), (object, data) => {
        const secret = { ...object, data } as JsonObject;
        const written = outgoing(secret, ['data']).versioned(versionOfWrite(7, 5));
        expect(decodeRecord(kvOf(encode(secret, ['data'])), keys, cipher).bytes).toEqual(written);
      }),
    );
  });

  it('keeps its provenance small and apart', () => {
    const message = storeProto.store.v1.Record.decode(encode({ kind: 'Pod', metadata: { name: 'a' } }));
    expect(storeProto.store.v1.Provenance.decode(message.provenance).requestId).toBe(provenance.requestId);
    const without = { ...provenance, cause: null };
    const { value } = outgoing({ kind: 'Pod', metadata: { name: 'a' } }, [], without);
    expect(decodeRecord(kvOf(value), keys, null).provenance).toEqual(without);
  });

  it('is what the generated encoder would make of it', () => {
    fc.assert(
      fc.property(objects, fc.integer({ min: 0, max: 127 }), (object, index) => {
        const message = storeProto.store.v1.Record.decode(encode({ ...object, data: 1 }, ['data'], index));
        const again = Buffer.from(storeProto.store.v1.Record.encode(message).finish());
        expect(storeProto.store.v1.Record.decode(again)).toEqual(message);
        expect(message.index).toBe(index);
        const bytes = decodeRecord(kvOf(again), keys, cipher).bytes.toString();
        expect(JSON.parse(bytes)).toEqual(asJson(withVersion({ ...object, data: 1 }, versionOfWrite(7, index))));
      }),
    );
  });

  it('is found in a node inbox as the pod that it is', () => {
    const value = encode({ kind: 'Pod', apiVersion: 'v1', metadata: { name: 'web' } });
    const record = decodeInboxRecord(kvOf(value, 7, keys.inbox('n1', 'default', 'web')), keys);
    expect(record.key).toEqual({ group: '', resource: 'pods', namespace: 'default', name: 'web' });
    expect(record.resourceVersion).toBe('28677');
  });
});

describe('a deletion', () => {
  it('is the last state with the version and provenance of the tombstone', () => {
    fc.assert(
      fc.property(objects, fc.integer({ min: 8, max: 2 ** 40 }), (object, revision) => {
        const last = decodeRecord(kvOf(encode(object)), keys, null);
        const by = { ...provenance, verb: 'delete', actor: 'somebody' };
        const tombstone = decodeTombstone(encodeTombstone(9, encodeProvenance(by)));
        const deleted = new StoredRecord(last.deletion(revision, tombstone));
        expect(JSON.parse(deleted.bytes.toString())).toEqual(asJson(withVersion(object, versionOfWrite(revision, 9))));
        expect(deleted).toMatchObject({ key, revision, index: 9, createRevision: 3 });
        expect(deleted.provenance).toEqual(by);
      }),
    );
  });
});
