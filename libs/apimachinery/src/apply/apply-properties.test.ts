import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FieldSet, JsonObject } from '../object.ts';
import { thing } from '../schema.fixture.ts';
import { apply, NOTHING, type State, update } from './apply-config.fixture.ts';
import { difference, intersection, isEmpty, NO_FIELDS, sameFields, union } from './field-set.ts';
import { fieldsOf } from './fields-of.ts';
import { decodeManagedFields, ownedByAny } from './managed-fields.ts';

const name = fc.constantFrom('a', 'b', 'c', 'd');
const part = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
const defined = (object: object): JsonObject => JSON.parse(JSON.stringify(object)) as JsonObject;

const container = fc.record({
  name,
  image: part(name),
  args: part(fc.array(name, { minLength: 1 })),
  ports: part(
    fc.uniqueArray(fc.record({ containerPort: fc.nat(2), name: part(name) }), { selector: (p) => p.containerPort }),
  ),
});
const config: fc.Arbitrary<JsonObject> = fc
  .record({
    metadata: fc.record({
      labels: part(fc.dictionary(name, name)),
      finalizers: part(fc.uniqueArray(name)),
    }),
    spec: fc.record({
      replicas: part(fc.nat(3)),
      containers: part(fc.uniqueArray(container, { selector: (c) => c.name })),
      strategy: part(fc.record({ type: part(name), rollingUpdate: part(fc.record({ maxSurge: fc.nat(2) })) })),
      tolerations: part(fc.array(fc.record({ key: name }))),
    }),
  })
  .map(defined);

/** What several managers have made of an object. */
const history: fc.Arbitrary<State> = fc
  .array(fc.tuple(fc.constantFrom('one', 'two', 'three'), fc.boolean(), config), { maxLength: 4 })
  .map((steps) => {
    let state = NOTHING;
    for (const [manager, applies, wanted] of steps) {
      state = applies ? apply(state, manager, wanted) : update(state, manager, wanted);
    }
    return state;
  });

const fieldSet: fc.Arbitrary<FieldSet> = config.map((object) => fieldsOf(object, thing));

describe('applying, whatever went before', () => {
  it('is idempotent', () => {
    fc.assert(
      fc.property(history, config, (state, wanted) => {
        const once = apply(state, 'kubectl', wanted);
        const twice = apply(once, 'kubectl', wanted);
        expect(twice.conflicts).toEqual([]);
        expect(twice.object).toEqual(once.object);
        expect(twice.entries).toEqual(once.entries);
      }),
    );
  });

  it('makes every stated field what the configuration says', () => {
    fc.assert(
      fc.property(history, config, (state, wanted) => {
        const { object } = apply(state, 'kubectl', wanted);
        expect(apply({ object, entries: [] }, 'kubectl', wanted).object).toEqual(object);
      }),
    );
  });

  it('removes what a manager owned alone and does not state any more', () => {
    fc.assert(
      fc.property(history, config, config, (state, before, after) => {
        const first = apply(state, 'kubectl', before);
        const second = apply(first, 'kubectl', after);
        const others = first.entries.filter(({ manager }) => manager !== 'kubectl');
        const mine = ownedByAny(first.entries.filter(({ manager }) => manager === 'kubectl'));
        const dropped = difference(difference(mine, ownedByAny(others)), fieldsOf(after, thing));
        const left = intersection(dropped, fieldsOf(second.object, thing));
        // Only that stays which somebody else has something in.
        for (const path of Object.keys(left)) expect(others.some(({ fieldsV1 }) => path in fieldsV1)).toBe(true);
        if (others.length === 0) expect(left).toEqual({});
      }),
    );
  });

  it('never conflicts with a manager of other fields, and leaves those alone', () => {
    fc.assert(
      fc.property(config, config, config, (one, other, next) => {
        const mine = { metadata: one.metadata as JsonObject };
        const theirs = { spec: other.spec as JsonObject };
        const both = apply(apply(NOTHING, 'one', mine), 'two', theirs);
        const changed = apply(both, 'one', { metadata: next.metadata as JsonObject });
        expect(changed.conflicts).toEqual([]);
        expect(changed.object.spec ?? {}).toEqual(both.object.spec ?? {});
        const still = changed.entries.find(({ manager }) => manager === 'two');
        expect(still).toEqual(both.entries.find(({ manager }) => manager === 'two'));
      }),
    );
  });

  it('leaves the arguments as they were', () => {
    fc.assert(
      fc.property(history, config, (state, wanted) => {
        const before = structuredClone({ state, wanted });
        apply(state, 'kubectl', wanted);
        update(state, 'kubectl', wanted);
        expect({ state, wanted }).toEqual(before);
      }),
    );
  });
});

describe('sets of fields', () => {
  it('obey the laws of sets', () => {
    fc.assert(
      fc.property(fieldSet, fieldSet, (a, b) => {
        expect(sameFields(union(a, b), union(b, a))).toBe(true);
        expect(sameFields(intersection(a, b), intersection(b, a))).toBe(true);
        expect(sameFields(union(difference(a, b), intersection(a, b)), a)).toBe(true);
        expect(isEmpty(intersection(difference(a, b), b))).toBe(true);
        expect(sameFields(difference(union(a, b), b), difference(a, b))).toBe(true);
        expect(difference(a, a)).toEqual(NO_FIELDS);
      }),
    );
  });

  it('are read back from their JSON as they were', () => {
    fc.assert(
      fc.property(history, ({ entries }) => {
        const stored = entries.map((entry) => ({ ...entry, time: '2026-01-01T00:00:00Z' }));
        const json = JSON.parse(JSON.stringify(stored)) as unknown[];
        if (stored.length > 0) expect(decodeManagedFields(json)).toEqual(stored);
      }),
    );
  });
});
