import { conform, FieldPath, type JsonObject, type KubeObject, type Schema } from '@periplus/apimachinery';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { builtinKinds } from './builtin.ts';
import type { Kind } from './kind.ts';

/**
 * Objects that fit the schema and nothing else: whatever decoding lets through must not make a kind throw.
 * Made from a number, which the report of a failure names.
 */
class Maker {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  #below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return (this.#state >>> 8) % limit;
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#below(from.length)] as T;
  }

  make(schema: Schema, depth: number): unknown {
    switch (schema.type) {
      case 'string':
        if (schema.format === 'byte') return this.#pick(['', 'YQ==', 'e30=']);
        if (schema.format) return '2026-11-21T12:00:00Z';
        return this.#pick(['', 'a', 'x-y', 'None', 'Always', '10.0.0.1', '/a/../b', ...(schema.enum ?? [])]);
      case 'integer':
        return this.#pick([-1, 0, 1, 80, 70_000]);
      case 'number':
        return 0.5;
      case 'boolean':
        return this.#below(2) === 0;
      case 'quantity':
        return this.#pick(['0', '1', '-1', '100m', '1Gi', '1e3']);
      case 'intOrString':
        return this.#pick([0, 80, '', 'http', '25%']);
      case 'any':
        return {};
      case 'map':
        return depth > 9
          ? {}
          : { [this.#pick(['a', 'cpu', 'constructor', 'hugepages-2Mi'])]: this.make(schema.values, depth + 1) };
      case 'array':
        return depth > 9 ? [] : Array.from({ length: this.#below(3) }, () => this.make(schema.items, depth + 1));
      case 'object': {
        const object: Record<string, unknown> = {};
        const names = Object.keys(schema.properties);
        // The deeper, the fewer members, or pods would never end.
        for (const name of names) {
          if (this.#below(depth + 2) <= 1 && depth < 9) object[name] = this.make(schema.properties[name]!, depth + 1);
        }
        return object;
      }
    }
  }

  object(kind: Kind): KubeObject {
    const object = this.make(kind.schema, 0) as KubeObject;
    object.apiVersion = kind.group ? `${kind.group}/${kind.version}` : kind.version;
    object.kind = kind.kind;
    object.metadata ??= {};
    const { problem, unknownFields } = conform(object as unknown as JsonObject, kind.schema);
    if (problem || unknownFields.length > 0) throw new Error(problem ?? unknownFields.join());
    return object;
  }
}

const root = new FieldPath();

describe('any object that fits its schema', () => {
  it.each(builtinKinds().all())('is handled by $kind of "$group" without a throw', (kind) => {
    const seeds = fc.tuple(fc.integer(), fc.integer());
    const property = fc.property(seeds, ([seed, otherSeed]) => {
      const old = new Maker(seed).object(kind);
      kind.setDefaults(old);
      const once = structuredClone(old);
      kind.setDefaults(old);
      expect(old).toEqual(once);
      kind.prepareForCreate(old);
      expect(Array.isArray(kind.validate(old, root))).toBe(true);

      for (const prepare of ['prepareForUpdate', 'prepareForStatusUpdate'] as const) {
        const now = new Maker(otherSeed).object(kind);
        kind.setDefaults(now);
        kind[prepare](now, old);
        kind.validateUpdate(now, old, root);
        kind.validateStatusUpdate(now, old, root);
        for (const column of kind.columns) expect(column.of(now, 0)).toBeDefined();
        for (const field of Object.values(kind.selectableFields)) expect(typeof field(now)).toBe('string');
        kind.gracePeriodSeconds(now, undefined);
        if (kind.storedAs) kind.storedAs.fromStorage(kind.storedAs.toStorage(now));
      }
    });
    fc.assert(property, { numRuns: 100 });
  });

  it.each(builtinKinds().all())('does not look changed to $kind of "$group" when it is sent again', (kind) => {
    const property = fc.property(fc.integer(), (seed) => {
      const old = new Maker(seed).object(kind);
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
