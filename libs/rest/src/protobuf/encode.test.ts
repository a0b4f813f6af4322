import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { builtinKinds, type Kind } from '@periplus/api';
import type { Schema } from '@periplus/apimachinery';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeProtobuf } from './decode.ts';
import { hasMessage, messageName } from './descriptors.ts';
import { encodeEvent, encodeMembers, encodeObject, itemHead, listHead } from './encode.ts';
import { WireReader } from './wire-reader.ts';

/** An object that itself has a kind, which protobuf leaves out within others: it follows from the field. */
const hasKind = (name: string, siblings: readonly string[]) =>
  (name === 'apiVersion' || name === 'kind') && siblings.includes('metadata');

/** Values as the API writes them: nothing that is absent in JSON where it is zero, no empty lists. */
function valuesOf(schema: Schema, depth = 0): fc.Arbitrary<unknown> {
  switch (schema.type) {
    case 'string':
      if (schema.format === 'byte')
        return fc.uint8Array({ minLength: 1 }).map((b) => Buffer.from(b).toString('base64'));
      if (schema.format === 'micro-time')
        return fc.constantFrom('2026-11-21T12:00:00.000001Z', '1969-12-31T23:59:59.500000Z');
      if (schema.format) return fc.constantFrom('2026-11-21T12:00:00Z', '1901-01-01T00:00:00Z', '1970-01-01T00:00:00Z');
      return fc.oneof(
        fc.string({ minLength: 1 }),
        fc.constantFrom('é'.repeat(30), '日本', 'x'.repeat(300), '\u{1f6a2}', '\ufeffx'),
      );
    case 'integer':
      return fc
        .oneof(fc.integer(), fc.maxSafeInteger(), fc.constantFrom(127, 128, 2 ** 32, -(2 ** 32)))
        .filter((n) => n !== 0);
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true, min: 0.1 });
    case 'boolean':
      return fc.constant(true);
    case 'quantity':
      return fc.constantFrom('100m', '1Gi', '0', '-5');
    case 'intOrString':
      return fc.constantFrom<unknown>(0, 80, -1, 'http', '25%');
    case 'any':
      return fc
        .dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 })
        .map((value) => JSON.parse(JSON.stringify(value)));
    case 'map':
      return fc.dictionary(fc.string({ minLength: 1 }), valuesOf(schema.values, depth + 1), { minKeys: 1, maxKeys: 2 });
    case 'array':
      return fc.array(valuesOf(schema.items, depth + 1), { minLength: 1, maxLength: 2 });
    case 'object': {
      const names = Object.keys(schema.properties).filter((name) => !hasKind(name, Object.keys(schema.properties)));
      if (depth > 12 || names.length === 0) return fc.constant({});
      // The deeper, the fewer members, or pods would never end.
      return fc
        .subarray(names, { maxLength: depth < 2 ? names.length : Math.min(names.length, 3) })
        .chain((chosen) =>
          fc.record(Object.fromEntries(chosen.map((name) => [name, valuesOf(schema.properties[name]!, depth + 1)]))),
        );
    }
  }
}

const typeOf = ({ group, version, kind }: Kind) => ({ apiVersion: group ? `${group}/${version}` : version, kind });

describe('the protobuf form of built-in kinds', () => {
  it.each(
    builtinKinds()
      .all()
      .filter((kind) => hasMessage(messageName(typeOf(kind).apiVersion, kind.kind)))
      .map((kind) => [`${kind.group}/${kind.kind}`, kind] as const),
  )('keeps all of a %s', (_name, kind) => {
    fc.assert(
      fc.property(valuesOf(kind.schema), (value) => {
        const object = JSON.parse(JSON.stringify({ ...(value as object), ...typeOf(kind) }));
        expect(decodeProtobuf(encodeObject(object))).toEqual(object);
      }),
      { numRuns: 150 },
    );
  });

  it('is what client-go sends, apart from what is zero', () => {
    const file = join(import.meta.dirname, 'testdata/bodies.json');
    for (const { protobuf } of JSON.parse(readFileSync(file, 'utf8')) as { protobuf: string }[]) {
      const object = decodeProtobuf(Buffer.from(protobuf, 'hex'));
      expect(decodeProtobuf(encodeObject(object as never))).toEqual(object);
    }
  });

  it('survives an object that cannot be written', () => {
    const broken = { apiVersion: 'v1', kind: 'Pod', spec: { containers: 'none' } };
    expect(() => encodeObject({ apiVersion: 'x.io/v1', kind: 'Widget' })).toThrow(
      'no protobuf message x.io/v1.Widget is known',
    );
    expect(() =>
      encodeObject({
        ...broken,
        get metadata(): never {
          throw new Error('no');
        },
      }),
    ).toThrow('no');
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } };
    expect(decodeProtobuf(encodeObject(pod))).toEqual(pod);
  });

  it('does not take a group of somebody else for a built-in one', () => {
    expect(() => encodeObject({ apiVersion: 'apps.example.com/v1', kind: 'Deployment' })).toThrow('is known');
  });
});

describe('a list', () => {
  it('is its head and its items', () => {
    const items = ['a', 'b'].map((name) => encodeMembers('core/v1.ConfigMap', { metadata: { name } }));
    const pieces = items.flatMap((item) => [itemHead(item.length), item]);
    const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
    const whole = Buffer.concat([
      listHead('v1', 'ConfigMapList', { resourceVersion: '7', remainingItemCount: 3 }, bytes),
      ...pieces,
    ]);
    // Nothing of it is too long or too short: the second field of the envelope goes to the end.
    const envelope = new WireReader(whole, 4);
    expect([envelope.next(), envelope.field]).toEqual([true, 1]);
    envelope.skip();
    expect([envelope.next(), envelope.field]).toEqual([true, 2]);
    const list = envelope.message();
    expect(envelope.ended).toBe(true);
    const fields: number[] = [];
    while (list.next()) {
      fields.push(list.field);
      list.skip();
    }
    expect(fields).toEqual([1, 2, 2]);
  });
});

describe('an event', () => {
  it('stands behind its length', () => {
    const object = encodeObject({ apiVersion: 'v1', kind: 'Pod' });
    const frame = encodeEvent('ADDED', object);
    expect(frame.readUInt32BE()).toBe(frame.length - 4);
    const event = new WireReader(frame, 4);
    event.next();
    expect(event.string()).toBe('ADDED');
    event.next();
    const raw = event.message();
    raw.next();
    expect(Buffer.from(raw.slice())).toEqual(object);
    expect(event.ended).toBe(true);
  });
});
