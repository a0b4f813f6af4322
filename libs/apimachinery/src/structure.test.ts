import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from './object.ts';
import { thing } from './schema.fixture.ts';
import { cannotBeHandled, conform, conformPart, fieldWarnings, strictDecodingProblem } from './structure.ts';

const problemOf = (object: JsonObject): string | undefined => conform(object, thing).problem;

test('empty lists go where Go leaves them out, are null where it writes them, and stay in configurations', () => {
  const object = { spec: { tolerations: [], containers: [{ name: 'a', args: [] }], seen: { lines: [] } } };
  const part = structuredClone(object);
  const before = structuredClone(object);
  conform(object, thing);
  expect(object.spec.seen.lines).toBeNull();
  expect(object.spec).toMatchObject({ containers: [{ name: 'a' }] });
  expect(object.spec).not.toHaveProperty('tolerations');
  expect(object.spec.containers[0]).not.toHaveProperty('args');
  conformPart(part, thing);
  expect(part).toEqual(before);
});

test('what Go writes although it is unset is there, one of its own in each object, but not in configurations', () => {
  const unset = { at: null, count: 0, group: null, note: '', lines: null, state: { name: '' } };
  const object: JsonObject = { spec: { seen: {}, self: {} } };
  const other: JsonObject = { spec: { seen: { at: null, group: 'g', state: { name: 'x' } } } };
  const part: JsonObject = { spec: { seen: {} } };
  conform(object, thing);
  conform(other, thing);
  conformPart(part, thing);
  expect(object).toEqual({ spec: { seen: unset } });
  expect(other).toEqual({ spec: { seen: { ...unset, group: 'g', state: { name: 'x' } } } });
  expect(part).toEqual({ spec: { seen: {} } });
  const another: JsonObject = { spec: { seen: {} } };
  conform(another, thing);
  const stateOf = (of: JsonObject) => (of as { spec: { seen: { state: object } } }).spec.seen.state;
  expect(stateOf(another)).not.toBe(stateOf(object));
});

describe('wrong types are told in the words of the Go decoder', () => {
  test.each<[JsonObject, string]>([
    [
      { spec: { replicas: 'x' } },
      'json: cannot unmarshal string into Go struct field ThingSpec.spec.replicas of type int32',
    ],
    [
      { spec: { replicas: 1.5 } },
      'json: cannot unmarshal number 1.5 into Go struct field ThingSpec.spec.replicas of type int32',
    ],
    [
      { spec: { replicas: 3e9 } },
      'json: cannot unmarshal number 3000000000 into Go struct field ThingSpec.spec.replicas of type int32',
    ],
    [
      { spec: { deadline: true } },
      'json: cannot unmarshal bool into Go struct field ThingSpec.spec.deadline of type int64',
    ],
    [
      { spec: { ratio: 'x' } },
      'json: cannot unmarshal string into Go struct field ThingSpec.spec.ratio of type float64',
    ],
    [{ spec: 'x' }, 'json: cannot unmarshal string into Go struct field Thing.spec of type v1.ThingSpec'],
    [{ spec: [] }, 'json: cannot unmarshal array into Go struct field Thing.spec of type v1.ThingSpec'],
    [
      { spec: { containers: {} } },
      'json: cannot unmarshal object into Go struct field ThingSpec.spec.containers of type []v1.Container',
    ],
    [
      { spec: { containers: ['x'] } },
      'json: cannot unmarshal string into Go struct field ThingSpec.spec.containers of type v1.Container',
    ],
    [
      { spec: { containers: [{}, { image: 1 }] } },
      'json: cannot unmarshal number into Go struct field Container.spec.containers.image of type string',
    ],
    [
      { spec: { containers: [{ stdin: 'yes' }] } },
      'json: cannot unmarshal string into Go struct field Container.spec.containers.stdin of type bool',
    ],
    [
      { metadata: { labels: { a: 1 } } },
      'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string',
    ],
    [
      { metadata: { labels: ['a'] } },
      'json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string',
    ],
    [{ spec: { maxSurge: 1.5 } }, 'json: cannot unmarshal number 1.5 into Go value of type int32'],
    [{ spec: { maxSurge: {} } }, 'json: cannot unmarshal object into Go value of type int32'],
    [
      { metadata: { creationTimestamp: 'today' } },
      'parsing time "today" as "2006-01-02T15:04:05Z07:00": cannot parse "today" as "2006"',
    ],
    [{ spec: { data: { a: 'no?' } } }, 'illegal base64 data at input byte 2'],
    [{ spec: { data: { a: 'YWJ' } } }, 'illegal base64 data at input byte 0'],
    [
      { spec: { containers: [{ resources: { requests: { cpu: 'much' } } }] } },
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
  ])('%j', (object, problem) => {
    expect(problemOf(object)).toBe(problem);
  });

  test('after a nested object the field of the outer one is named right', () => {
    expect(problemOf({ spec: { strategy: { type: 'x' }, replicas: 'x' } })).toContain('ThingSpec.spec.replicas');
  });

  test('the message of the whole body', () => {
    expect(cannotBeHandled('Thing', 'v1', 'json: oh')).toMatchObject({
      code: 400,
      message: 'Thing in version "v1" cannot be handled as a Thing: json: oh',
    });
  });
});

describe('unknown fields', () => {
  test('are pruned and reported with their paths', () => {
    const object: JsonObject = {
      a: 1,
      metadata: { name: 'x', nname: 'y' },
      spec: { containers: [{ name: 'a' }, { name: 'b', imagee: 'c' }], self: { k: { oops: 1 } }, constructor: 1 },
    };
    expect(conform(object, thing).unknownFields).toEqual([
      'a',
      'metadata.nname',
      'spec.containers[1].imagee',
      'spec.self.k.oops',
      'spec.constructor',
    ]);
    expect(object).toEqual({
      metadata: { name: 'x' },
      spec: { containers: [{ name: 'a' }, { name: 'b' }], self: { k: {} } },
    });
  });

  test('are reported up to a limit, and pruned beyond it', () => {
    const object = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`f${i}`, i]));
    expect(conform(object, thing).unknownFields).toHaveLength(100);
    expect(object).toEqual({});
  });

  test('cannot smuggle in a prototype', () => {
    const object = JSON.parse('{"__proto__":{"spec":{}},"spec":{"raw":{"__proto__":1},"self":{"__proto__":null}}}');
    expect(conform(object, thing).unknownFields).toEqual(['__proto__']);
    expect(JSON.stringify(object)).toBe('{"spec":{"raw":{"__proto__":1},"self":{"__proto__":{}}}}');
  });

  test('make one strict error together with duplicates', () => {
    expect(strictDecodingProblem(fieldWarnings(['spec.foo'], ['metadata.name']))).toBe(
      'strict decoding error: duplicate field "metadata.name", unknown field "spec.foo"',
    );
  });
});

describe('what Kubernetes writes in another way', () => {
  test.each<[JsonObject, JsonObject]>([
    [{ metadata: { creationTimestamp: null, labels: { a: null } } }, { metadata: { labels: { a: '' } } }],
    [
      { metadata: { creationTimestamp: '2026-11-21T12:00:00.5+02:00' } },
      { metadata: { creationTimestamp: '2026-11-21T10:00:00Z' } },
    ],
    [{ spec: { renewTime: '2026-11-21T10:00:00.1234567Z' } }, { spec: { renewTime: '2026-11-21T10:00:00.123456Z' } }],
    [{ spec: { data: { a: 'YWJj\nYWJj' } } }, { spec: { data: { a: 'YWJjYWJj' } } }],
    [{ spec: { raw: { a: null } } }, { spec: { raw: { a: null } } }],
    [
      { metadata: { labels: {} }, spec: { raw: {}, data: {} } },
      { metadata: {}, spec: { raw: {} } },
    ],
    [
      { spec: { containers: [{ resources: { requests: { cpu: '1000m', memory: 1024, disk: null } } }] } },
      { spec: { containers: [{ name: '', resources: { requests: { cpu: '1', memory: '1024', disk: '0' } } }] } },
    ],
    [
      { spec: { containers: [null, { args: ['a', null] }] } },
      { spec: { containers: [{ name: '' }, { name: '', args: ['a', ''] }] } },
    ],
    [
      { spec: { containers: [{ name: 'a', ports: [{}] }] } },
      { spec: { containers: [{ name: 'a', ports: [{ containerPort: 0 }] }] } },
    ],
  ])('%j', (object, expected) => {
    expect(problemOf(object)).toBeUndefined();
    expect(object).toEqual(expected);
  });
});

test('a recursive schema and a deep document are fine up to the limit', () => {
  const nested = (depth: number): JsonObject => {
    let object: JsonObject = {};
    for (let i = 0; i < depth; i++) object = { child: object };
    return object;
  };
  expect(problemOf(nested(900))).toBeUndefined();
  expect(problemOf(nested(20_000))).toBe('exceeded max depth');
  expect(problemOf({ spec: { raw: nested(20_000) } })).toBe('exceeded max depth');
});

test('what conforms once conforms again, unchanged', () => {
  const value = fc.letrec<{ any: JsonValue }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom<JsonValue>(null, 1, 1.5, true, 'x', '100m', '2026-11-21T10:00:00Z'),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(
        fc.constantFrom(
          'spec',
          'metadata',
          'containers',
          'name',
          'replicas',
          'labels',
          'raw',
          'resources',
          'requests',
          'child',
          'zz',
        ),
        tie('any'),
      ),
    ) as fc.Arbitrary<JsonValue>,
  }));
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('spec', 'metadata', 'child', 'kind'), value.any), (object) => {
      const decoded = JSON.parse(JSON.stringify(object)) as JsonObject;
      if (conform(decoded, thing).problem) return;
      const before = JSON.stringify(decoded);
      expect(conform(decoded, thing)).toEqual({ problem: undefined, unknownFields: [] });
      expect(JSON.stringify(decoded)).toBe(before);
    }),
  );
});
