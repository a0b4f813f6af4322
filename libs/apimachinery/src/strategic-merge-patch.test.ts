import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from './object.ts';
import { thing } from './schema.fixture.ts';
import { applyStrategicMergePatch } from './strategic-merge-patch.ts';

const patchSpec = (spec: JsonObject, patch: JsonValue): JsonValue | undefined =>
  applyStrategicMergePatch({ spec }, { spec: patch }, thing).spec;

describe('a strategic merge patch', () => {
  test('merges objects and maps, and null deletes', () => {
    const object = { metadata: { name: 'a', labels: { x: '1', y: '2' } }, spec: { replicas: 1 } };
    const patch: JsonObject = {
      metadata: { labels: { x: null, z: '3' }, annotations: null },
      spec: { replicas: 2, missing: null },
    };
    expect(applyStrategicMergePatch(object, patch, thing)).toEqual({
      metadata: { name: 'a', labels: { y: '2', z: '3' } },
      spec: { replicas: 2 },
    });
  });

  test('merges items of a list by their key, and puts new ones in front', () => {
    const spec: JsonObject = {
      containers: [
        { name: 'a', image: '1', args: ['x'] },
        { name: 'b', image: '1' },
      ],
    };
    const patch: JsonObject = {
      containers: [
        { name: 'c', image: '3' },
        { name: 'a', image: '2' },
      ],
    };
    expect(patchSpec(spec, patch)).toEqual({
      containers: [
        { name: 'c', image: '3' },
        { name: 'a', image: '2', args: ['x'] },
        { name: 'b', image: '1' },
      ],
    });
  });

  test('merges lists within items, by a number too', () => {
    const spec: JsonObject = { containers: [{ name: 'a', ports: [{ containerPort: 80, protocol: 'TCP' }] }] };
    const patch: JsonObject = {
      containers: [{ name: 'a', ports: [{ containerPort: 80, name: 'http' }, { containerPort: 81 }] }],
    };
    expect(patchSpec(spec, patch)).toEqual({
      containers: [{ name: 'a', ports: [{ containerPort: 80, protocol: 'TCP', name: 'http' }, { containerPort: 81 }] }],
    });
  });

  test('replaces atomic lists', () => {
    const spec: JsonObject = { containers: [{ name: 'a', args: ['x', 'y'] }], tolerations: [{ key: 'a' }] };
    const patch: JsonObject = { containers: [{ name: 'a', args: ['z'] }], tolerations: [{ key: 'b' }] };
    expect(patchSpec(spec, patch)).toEqual({ containers: [{ name: 'a', args: ['z'] }], tolerations: [{ key: 'b' }] });
  });

  test('unites sets, and deletes from them', () => {
    const object = { metadata: { finalizers: ['a', 'b', 'c'] } };
    const finalizers = (patch: JsonObject) => applyStrategicMergePatch(object, { metadata: patch }, thing).metadata;
    expect(finalizers({ finalizers: ['d', 'a'] })).toEqual({ finalizers: ['d', 'a', 'b', 'c'] });
    expect(finalizers({ '$deleteFromPrimitiveList/finalizers': ['b', 'zz'] })).toEqual({ finalizers: ['a', 'c'] });
    expect(finalizers({ '$setElementOrder/finalizers': ['c', 'd', 'a'], finalizers: ['d'] })).toEqual({
      finalizers: ['b', 'c', 'd', 'a'],
    });
    expect(
      finalizers({
        '$setElementOrder/finalizers': ['c', 'a'],
        '$deleteFromPrimitiveList/finalizers': ['b'],
      }),
    ).toEqual({ finalizers: ['c', 'a'] });
  });

  test('deletes an item by its key', () => {
    const spec: JsonObject = { containers: [{ name: 'a' }, { name: 'b' }] };
    expect(patchSpec(spec, { containers: [{ $patch: 'delete', name: 'a' }] })).toEqual({ containers: [{ name: 'b' }] });
    expect(patchSpec(spec, { containers: [{ $patch: 'delete', name: 'zz' }] })).toEqual(spec);
  });

  test('replaces a list or an object as a whole on demand', () => {
    const spec: JsonObject = {
      containers: [{ name: 'a', image: '1' }, { name: 'b' }],
      strategy: { type: 'x', rollingUpdate: {} },
    };
    expect(
      patchSpec(spec, {
        containers: [{ $patch: 'replace' }, { name: 'a' }],
        strategy: { $patch: 'replace', type: 'y' },
      }),
    ).toEqual({
      containers: [{ name: 'a' }],
      strategy: { type: 'y' },
    });
    expect(patchSpec(spec, { strategy: { $patch: 'delete' } })).toEqual({ ...spec, strategy: {} });
    expect(patchSpec(spec, { strategy: { $patch: 'merge', type: 'z' } })).toMatchObject({
      strategy: { type: 'z', rollingUpdate: {} },
    });
  });

  test('retains only the keys that are named', () => {
    const spec: JsonObject = {
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } },
      volumes: [{ name: 'v', emptyDir: {} }],
    };
    const patch: JsonObject = {
      strategy: { $retainKeys: ['type'], type: 'Recreate' },
      volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }],
    };
    expect(patchSpec(spec, patch)).toEqual({
      strategy: { type: 'Recreate' },
      volumes: [{ name: 'v', hostPath: { path: '/x' } }],
    });
  });

  test('sorts a merged list as $setElementOrder says, and keeps the others in their place', () => {
    const spec: JsonObject = { containers: [{ name: 'a' }, { name: 'server' }, { name: 'b' }, { name: 'c' }] };
    const patch: JsonObject = {
      '$setElementOrder/containers': [{ name: 'c' }, { name: 'b' }, { name: 'new' }, { name: 'a' }],
      containers: [{ name: 'new', image: '1' }],
    };
    expect(patchSpec(spec, patch)).toEqual({
      containers: [{ name: 'server' }, { name: 'c' }, { name: 'b' }, { name: 'new', image: '1' }, { name: 'a' }],
    });
  });

  test('leaves no directive or null in what it adds', () => {
    const patch: JsonObject = {
      strategy: { $retainKeys: ['type'], type: 'Recreate', rollingUpdate: null },
      containers: [
        { name: 'a', image: null },
        { name: 'b', $patch: 'delete' },
      ],
      '$setElementOrder/containers': [{ name: 'a' }, { name: 'b' }],
      '$deleteFromPrimitiveList/nothing': ['x'],
      volumes: [{ $patch: 'replace' }, { name: 'v' }],
    };
    expect(patchSpec({}, patch)).toEqual({
      strategy: { type: 'Recreate' },
      containers: [{ name: 'a' }],
      volumes: [{ name: 'v' }],
    });
  });

  test('replaces raw JSON, in which $patch means nothing', () => {
    expect(patchSpec({ raw: { a: 1 } }, { raw: { b: null, $patch: 'x' } })).toEqual({ raw: { b: null, $patch: 'x' } });
  });

  test.each<[string, JsonObject, string]>([
    [
      'an item without its key',
      { containers: [{ image: 'x' }] },
      'map: {"image":"x"} does not contain declared merge key: name',
    ],
    ['an unknown directive', { strategy: { $patch: 'mend' } }, 'unknown patch type: mend in map: {"$patch":"mend"}'],
    [
      'an unknown directive in a list',
      { containers: [{ $patch: 'mend', name: 'a' }] },
      'unknown patch type: mend in map: {"$patch":"mend","name":"a"}',
    ],
    ['retainKeys that is no list', { strategy: { $retainKeys: 'x' } }, 'invalid patch format of retainKeys'],
    [
      'a change that retainKeys does not name',
      { strategy: { $retainKeys: ['a'], type: 'x' } },
      'invalid patch format of retainKeys',
    ],
    ['an order that is no list', { '$setElementOrder/containers': 1 }, 'invalid patch format of setElementOrder list'],
    ['a deletion list that is no list', { '$deleteFromPrimitiveList/x': 1 }, 'invalid patch format of primitive list'],
    [
      'items of different types',
      { containers: [{ name: 'a' }, 'x'] },
      'list element types are not identical: [[{"name":"a"}],[{"name":"a"},"x"]]',
    ],
  ])('refuses %s', (_name, patch, message) => {
    const spec: JsonObject = { containers: [{ name: 'a' }], strategy: { type: 'a' } };
    expect(() => patchSpec(spec, patch)).toThrow(expect.objectContaining({ reason: 'BadRequest', message }));
  });

  test('refuses an order list that contradicts the patch list', () => {
    const patch: JsonObject = {
      '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }],
      containers: [{ name: 'a' }, { name: 'b' }],
    };
    expect(() => patchSpec({}, patch)).toThrow(/^The order in patch list:/);
  });

  test('refuses lists of lists', () => {
    expect(() => patchSpec({ containers: [{ name: 'a' }] }, { containers: [[]] })).toThrow(
      expect.objectContaining({ reason: 'Invalid' }),
    );
  });

  test('cannot reach a prototype', () => {
    const patch = JSON.parse(
      '{"metadata":{"labels":{"__proto__":"x"}},"__proto__":{"polluted":1},"spec":{"raw":{"__proto__":{"a":1}}}}',
    );
    const result = applyStrategicMergePatch({ metadata: { labels: { a: 'b' } } }, patch, thing);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
    expect(JSON.stringify(result.metadata)).toBe('{"labels":{"a":"b","__proto__":"x"}}');
  });
});

const name = fc.constantFrom('a', 'b', 'c', 'd');
const someContainer = fc.record(
  { name, image: fc.option(name), args: fc.array(name, { maxLength: 2 }), stdin: fc.boolean() },
  { requiredKeys: ['name'] },
);
const someSpec = (withNulls: boolean) =>
  fc.record(
    {
      replicas: fc.option(fc.integer(), { nil: withNulls ? null : 1 }),
      containers: fc
        .uniqueArray(someContainer, { selector: (item) => item.name, maxLength: 4 })
        .map((items) => (withNulls ? items : items.map(({ image, ...rest }) => ({ ...rest, image: image ?? 'i' })))),
      strategy: fc.record({ type: name }, { requiredKeys: [] }),
      tolerations: fc.array(fc.record({ key: name }), { maxLength: 2 }),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<JsonObject>;

describe('for any object and patch', () => {
  test('applying twice is applying once, and arguments stay as they are', () => {
    fc.assert(
      fc.property(someSpec(false), someSpec(true), (spec, patch) => {
        const before = JSON.stringify([spec, patch]);
        const once = patchSpec(spec, patch) as JsonObject;
        expect(patchSpec(once, patch)).toEqual(once);
        expect(JSON.stringify([spec, patch])).toBe(before);
      }),
    );
  });

  test('an object patched with itself or with nothing stays as it is', () => {
    fc.assert(
      fc.property(someSpec(false), (spec) => {
        expect(patchSpec(spec, spec)).toEqual(spec);
        expect(patchSpec(spec, {})).toEqual(spec);
      }),
    );
  });

  test('what the patch says is there afterwards', () => {
    fc.assert(
      fc.property(someSpec(false), someSpec(false), (spec, patch) => {
        const { containers = [], ...rest } = patchSpec(spec, patch) as { containers?: JsonObject[] };
        const { containers: patched = [], ...others } = patch as { containers?: JsonObject[] };
        expect(rest).toMatchObject(others);
        for (const item of patched) expect(containers.find((each) => each.name === item.name)).toMatchObject(item);
      }),
    );
  });
});
