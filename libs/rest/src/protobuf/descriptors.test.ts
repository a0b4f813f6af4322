import { builtinKinds, type Kind } from '@periplus/api';
import type { Schema } from '@periplus/apimachinery';
import { expect, it } from 'vitest';
import { type Field, hasMessage, type Message, messageName, messageOf } from './descriptors.ts';

/** The fields of a message by their names in JSON, those of parts written into it too. */
const byName = ({ backwards }: Message): Map<string, Field> =>
  new Map(
    backwards.flatMap((field) => (field.name === '' ? [...byName(field.message)] : [[field.name, field] as const])),
  );

const SCALARS: Readonly<Record<string, RegExp>> = {
  integer: /^i$/,
  number: /^d$/,
  boolean: /^b$/,
  quantity: /^Quantity$/,
  intOrString: /^IntOrString$/,
  any: /^(RawExtension|FieldsV1)$/,
};
const FORMATS: Readonly<Record<string, RegExp>> = { byte: /^x$/, 'date-time': /^Time$/, 'micro-time': /^MicroTime$/ };

/** Where a schema and the table contradict each other. */
function differences(schema: Schema, field: Field, path: string, seen: Set<Schema>): string[] {
  if (schema.type === 'array' && field.shape === 'list') return typeDifferences(schema.items, field, `${path}[]`, seen);
  if (schema.type === 'map' && field.shape === 'map') {
    const values = field.wrapped && schema.values.type === 'array' ? schema.values.items : schema.values;
    return typeDifferences(values, field, `${path}{}`, seen);
  }
  return field.shape === 'one'
    ? typeDifferences(schema, field, path, seen)
    : [`${path}: ${schema.type} is a ${field.shape}`];
}

function typeDifferences(schema: Schema, field: Field, path: string, seen: Set<Schema>): string[] {
  if (schema.type === 'object') return objectDifferences(schema, field.message, path, seen);
  const expected = schema.type === 'string' ? (FORMATS[schema.format ?? ''] ?? /^s$/) : SCALARS[schema.type];
  return expected?.test(field.type) ? [] : [`${path}: ${schema.type} is ${field.type}`];
}

function objectDifferences(schema: Schema, message: Message, path: string, seen: Set<Schema>): string[] {
  if (schema.type !== 'object' || seen.has(schema)) return [];
  seen.add(schema);
  const fields = byName(message);
  const names = Object.keys(schema.properties);
  // Protobuf leaves out what an object's kind is: it follows from the field.
  const own = names.filter((name) => !(names.includes('metadata') && (name === 'apiVersion' || name === 'kind')));
  return own.flatMap((name) => {
    const field = fields.get(name);
    const at = `${path}.${name}`;
    return field ? differences(schema.properties[name]!, field, at, seen) : [`${at}: not in the table`];
  });
}

const nameOf = ({ group, version, kind }: Kind): string => messageName(group ? `${group}/${version}` : version, kind);

it('has every field of every built-in kind but metrics, of the same type as its schema', () => {
  const kinds = builtinKinds()
    .all()
    .filter(({ group }) => group !== 'metrics.k8s.io');
  expect(kinds.length).toBeGreaterThan(15);
  expect(kinds.map(nameOf).filter((name) => !hasMessage(name))).toEqual([]);
  const found = kinds.flatMap((kind) => objectDifferences(kind.schema, messageOf(nameOf(kind)), kind.kind, new Set()));
  expect(found).toEqual([]);
});

it('knows the messages of what has no group of its own', () => {
  for (const [apiVersion, kind] of [
    ['v1', 'Status'],
    ['meta.k8s.io/v1', 'PartialObjectMetadata'],
    ['meta.k8s.io/v1beta1', 'PartialObjectMetadata'],
    ['policy/v1', 'DeleteOptions'],
    ['autoscaling/v1', 'Scale'],
  ] as const) {
    expect(hasMessage(messageName(apiVersion, kind)), kind).toBe(true);
  }
});
