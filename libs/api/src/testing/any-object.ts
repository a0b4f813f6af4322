import { conform, type JsonObject, type KubeObject, type Schema } from '@periplus/apimachinery';
import type { Kind } from '../kind.ts';

/**
 * Objects that fit the schema and nothing else: whatever decoding lets through must not make a kind throw.
 * Made from a number, which the report of a failure names.
 */
export class ObjectMaker {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return (this.#state >>> 8) % limit;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  make(schema: Schema, depth: number): unknown {
    switch (schema.type) {
      case 'string':
        if (schema.format === 'byte') return this.pick(['', 'YQ==', 'e30=']);
        if (schema.format) return '2026-11-21T12:00:00Z';
        return this.pick(['', 'a', 'x-y', 'None', 'Always', '10.0.0.1', '/a/../b', ...(schema.enum ?? [])]);
      case 'integer':
        return this.pick([-1, 0, 1, 80, 70_000]);
      case 'number':
        return 0.5;
      case 'boolean':
        return this.below(2) === 0;
      case 'quantity':
        return this.pick(['0', '1', '-1', '100m', '1Gi', '1e3']);
      case 'intOrString':
        return this.pick([0, 80, '', 'http', '25%']);
      case 'any':
        return {};
      case 'map':
        return depth > 9
          ? {}
          : { [this.pick(['a', 'cpu', 'constructor', 'hugepages-2Mi'])]: this.make(schema.values, depth + 1) };
      case 'array':
        return depth > 9 ? [] : Array.from({ length: this.below(3) }, () => this.make(schema.items, depth + 1));
      case 'object': {
        const object: Record<string, unknown> = {};
        const names = Object.keys(schema.properties);
        // The deeper, the fewer members, or pods would never end.
        for (const name of names) {
          if (this.below(depth + 2) <= 1 && depth < 9) object[name] = this.make(schema.properties[name]!, depth + 1);
        }
        return object;
      }
    }
  }

  /** An object of `kind`, as decoding leaves it. */
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
