import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../object.ts';
import { thing } from '../schema.fixture.ts';
import { NOTHING, update } from './apply-config.fixture.ts';
import { CreatedFields } from './created-fields.ts';
import { encodeManagers, managersJson } from './managers-code.ts';

const NAMES = ['metadata', 'spec'];
const by = { manager: 'one', operation: 'Update', apiVersion: 'v1', subresource: '' } as const;
const name = fc.constantFrom('a', 'b', 'c');
const anything: fc.Arbitrary<JsonValue> = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<JsonValue>;
const object = fc
  .record(
    {
      metadata: fc.record(
        { name, labels: fc.dictionary(name, name), finalizers: fc.array(name), self: anything },
        { requiredKeys: [] },
      ),
      spec: fc.record(
        {
          replicas: fc.nat(2),
          containers: fc.array(
            fc.record(
              {
                name,
                image: name,
                ports: fc.array(fc.record({ containerPort: fc.nat(1), protocol: name }, { requiredKeys: [] })),
              },
              { requiredKeys: [] },
            ),
          ),
          strategy: fc.record({ type: name, rollingUpdate: fc.record({ maxSurge: fc.nat(1) }) }, { requiredKeys: [] }),
          self: fc.dictionary(name, fc.record({ name, finalizers: fc.array(name) }, { requiredKeys: [] })),
          raw: anything,
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  )
  .map((value) => value as unknown as JsonObject);

it('are those that any creation gives its creator, whatever was created before', { timeout: 30_000 }, () => {
  const created = new CreatedFields(thing, NAMES);
  fc.assert(
    fc.property(object, (value) => {
      const entries = created.managedBy(by, 'now', value);
      expect(entries).toEqual(update(NOTHING, 'one', value, 'now').entries);
      expect(JSON.parse(managersJson(encodeManagers(entries)))).toEqual(entries);
    }),
    { numRuns: 1000 },
  );
});

it('are made once for all objects of one shape', () => {
  const created = new CreatedFields(thing, NAMES);
  const fieldsOf = (value: JsonObject) => created.managedBy(by, 'now', value)[0]!.fieldsV1;
  const pod = (container: string, image: string) => ({ spec: { containers: [{ name: container, image }] } });
  expect(fieldsOf(pod('main', 'a'))).toBe(fieldsOf(pod('main', 'b')));
  expect(fieldsOf(pod('main', 'a'))).not.toEqual(fieldsOf(pod('side', 'a')));
});

it('are found for more shapes than are remembered', () => {
  const created = new CreatedFields(thing, NAMES);
  const labels = (from: number): JsonObject => {
    const names = Array.from({ length: 60_000 }, (_, i) => [`label-${from + i}`, 'x']);
    return { metadata: { labels: Object.fromEntries(names) as JsonObject } };
  };
  for (const from of [0, 100_000, 200_000]) {
    const [entry] = created.managedBy(by, 'now', labels(from));
    expect(Object.keys(entry!.fieldsV1['f:metadata']!['f:labels']!)).toHaveLength(60_001);
  }
});
