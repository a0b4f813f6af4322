import { FieldPath } from '@periplus/apimachinery';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { builtinKinds } from './builtin.ts';
import { ObjectMaker } from './testing/any-object.ts';

const root = new FieldPath();

const expectTexts = (texts: readonly unknown[]): void => {
  for (const text of texts) expect(text).toMatch(/^(?!.*(native code|undefined|\[object))/);
};

describe('any object that fits its schema', () => {
  it.each(builtinKinds().all())('is handled by $kind of "$group" without a throw', (kind) => {
    const seeds = fc.tuple(fc.integer(), fc.integer());
    const property = fc.property(seeds, ([seed, otherSeed]) => {
      const old = new ObjectMaker(seed).object(kind);
      kind.setDefaults(old);
      const once = structuredClone(old);
      kind.setDefaults(old);
      expect(old).toEqual(once);
      kind.prepareForCreate(old);
      expect(Array.isArray(kind.validate(old, root))).toBe(true);
      expectTexts(kind.warnings(old, null, root));

      for (const part of Object.values(kind.parts)) {
        const now = new ObjectMaker(otherSeed).object(kind);
        kind.setDefaults(now);
        part.prepare(now, old);
        expect(Array.isArray(part.validate(now, old, root))).toBe(true);
      }
      for (const prepare of ['prepareForUpdate', 'prepareForStatusUpdate'] as const) {
        const now = new ObjectMaker(otherSeed).object(kind);
        kind.setDefaults(now);
        kind[prepare](now, old);
        kind.validateUpdate(now, old, root);
        kind.validateStatusUpdate(now, old, root);
        expectTexts(kind.warnings(now, old, root));
        for (const column of kind.columns) expect(column.of(now, 0)).toBeDefined();
        for (const field of Object.values(kind.selectableFields)) expect(typeof field(now)).toBe('string');
        kind.gracePeriodSeconds(now, undefined);
        if (kind.storedAs) kind.storedAs.fromStorage(kind.storedAs.toStorage(now));
      }
    });
    fc.assert(property, { numRuns: 100 });
  });

  it.each(builtinKinds().all())('may be a $kind of "$group" that says nothing but its name', (kind) => {
    const named = { apiVersion: '', kind: kind.kind, metadata: { name: 'a' } };
    for (const sparse of [named, { ...named, spec: {} }, { ...named, status: {} }]) {
      const object = structuredClone(sparse);
      kind.setDefaults(object);
      kind.prepareForCreate(object);
      expect(Array.isArray(kind.validate(object, root))).toBe(true);
      expectTexts(kind.warnings(object, null, root));
    }
  });

  it.each(builtinKinds().all())('does not look changed to $kind of "$group" when it is sent again', (kind) => {
    const property = fc.property(fc.integer(), (seed) => {
      const old = new ObjectMaker(seed).object(kind);
      kind.setDefaults(old);
      kind.prepareForCreate(old);
      old.metadata.resourceVersion = '1';
      const now = structuredClone(old);
      kind.setDefaults(now);
      kind.prepareForUpdate(now, old);
      expect(now.metadata.generation).toBe(old.metadata.generation);
      const forbidden = kind
        .validateUpdate(now, old, root)
        .filter(({ message }) => /immutable|may not change/.test(message));
      expect(forbidden).toEqual([]);
    });
    fc.assert(property, { numRuns: 100 });
  });
});
