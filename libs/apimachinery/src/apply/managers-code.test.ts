import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FieldSet, ManagedFieldsEntry } from '../object.ts';
import { decodeFields, encodeFields, fieldsJson } from './field-set-code.ts';
import { KNOWN_ELEMENTS } from './known-elements.ts';
import { decodeManagers, encodeManagers, managersJson } from './managers-code.ts';

const element = fc.oneof(
  fc.constantFrom('.', 'f:spec', 'f:containers', 'k:{"type":"Ready"}'),
  fc.string({ unit: 'grapheme' }).map((name) => `f:${name}`),
);
const { set } = fc.letrec<{ set: FieldSet }>((tie) => ({
  set: fc.dictionary(element, fc.oneof({ depthSize: 'small' }, fc.constant({}), tie('set')), {
    noNullPrototype: true,
    maxKeys: 5,
  }),
}));
const entry: fc.Arbitrary<ManagedFieldsEntry> = fc.record(
  {
    manager: fc.string({ unit: 'grapheme' }),
    operation: fc.constantFrom('Apply', 'Update'),
    apiVersion: fc.string(),
    time: fc.string(),
    fieldsType: fc.constant('FieldsV1' as const),
    fieldsV1: set,
    subresource: fc.string(),
  },
  { requiredKeys: ['manager', 'operation', 'apiVersion', 'fieldsType', 'fieldsV1'], noNullPrototype: true },
);

describe('the code of managers', () => {
  it('gives back what it was made of, in its order', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 4 }), (entries) => {
        const read = decodeManagers(encodeManagers(entries));
        expect(read).toEqual(entries);
        expect(read.map(({ fieldsV1 }) => JSON.stringify(fieldsV1))).toEqual(
          entries.map(({ fieldsV1 }) => JSON.stringify(fieldsV1)),
        );
      }),
    );
  });

  it('reads as the JSON of what it was made of', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 4 }), (entries) => {
        const inOrder = entries.map(({ fieldsV1, ...rest }) => ({ ...rest, fieldsV1 }));
        expect(managersJson(encodeManagers(entries))).toBe(JSON.stringify(inOrder));
      }),
    );
  });

  it('gives the same set for the same bytes', () => {
    const managed = { manager: 'a', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1' } as const;
    const read = () => decodeManagers(encodeManagers([{ ...managed, fieldsV1: { 'f:spec': { 'f:os': {} } } }]));
    expect(read()[0]!.fieldsV1).toBe(read()[0]!.fieldsV1);
  });

  it('forgets the sets that came first when there are too many', () => {
    const managed = { manager: 'a', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1' } as const;
    const read = (name: string) => decodeManagers(encodeManagers([{ ...managed, fieldsV1: { [`f:${name}`]: {} } }]));
    const first = read('first')[0]!.fieldsV1;
    for (let i = 0; i < 1_000; i++) read(`${'x'.repeat(3_000)}${i}`);
    expect(read('first')[0]!.fieldsV1).not.toBe(first);
    expect(read('first')[0]!.fieldsV1).toEqual(first);
  });

  it('holds sets larger than what is written before', () => {
    const large = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`f:unknown-${i}`, {}]));
    expect(decodeFields(encodeFields(large))).toEqual(large);
    expect(fieldsJson(encodeFields(large))).toBe(JSON.stringify(large));
  });

  it('refuses bytes that are not a code, and reads nothing behind their end', () => {
    const refusal = (read: () => unknown): string | undefined => {
      try {
        read();
        return undefined;
      } catch (error) {
        return (error as Error).message;
      }
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const refused = refusal(() => decodeFields(bytes));
        expect(refused ?? 'set of fields').toContain('set of fields');
        expect(refusal(() => fieldsJson(bytes))).toBe(refused);
      }),
    );
    for (const bytes of [[0x01], [0x01, 0x05, 0x61], [0x80], [0xff, 0xff, 0xff, 0xff, 0x7f], [0x00, 0x03]]) {
      expect(() => decodeFields(Uint8Array.from(bytes))).toThrow(/set of fields/);
    }
    expect(() => decodeManagers(Buffer.from([9, 0, 0, 0, 1]))).toThrow();
  });

  it('names elements by places that never change', () => {
    // Put new names behind the last, and a line with the new length here; the old lines stay.
    const digest = (length: number): string =>
      createHash('sha256')
        .update(JSON.stringify(KNOWN_ELEMENTS.slice(64, 64 + length)))
        .digest('hex')
        .slice(0, 16);
    expect(digest(705)).toBe('a22cd519410d6277');
    expect([KNOWN_ELEMENTS.length - 64, digest(756)]).toEqual([756, 'ffbacac28eff6e7d']);
    expect(KNOWN_ELEMENTS.slice(0, 11)).toEqual([
      '.',
      'k:{"type":"Ready"}',
      'k:{"type":"Initialized"}',
      'k:{"type":"ContainersReady"}',
      'k:{"type":"PodScheduled"}',
      'k:{"type":"PodReadyToStartContainers"}',
      'k:{"type":"Available"}',
      'k:{"type":"Progressing"}',
      'k:{"type":"MemoryPressure"}',
      'k:{"type":"DiskPressure"}',
      'k:{"type":"PIDPressure"}',
    ]);
    expect(new Set(KNOWN_ELEMENTS.filter(Boolean)).size).toBe(756 + 11);
  });
});
