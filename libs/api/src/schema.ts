/**
 * The structure of a kind, generated at build time from the declarations of `kubernetes-models`
 * (scripts/generate.ts) and completed by hand where those say nothing (list map keys).
 */
export type Schema =
  | { type: 'string'; format?: 'date-time' | 'byte'; enum?: readonly string[] }
  | { type: 'integer' | 'number' | 'boolean' }
  | { type: 'quantity' }
  | { type: 'intOrString' }
  /** Anything goes: raw extensions, JSON. */
  | { type: 'any' }
  | { type: 'map'; values: Schema }
  | {
      type: 'array';
      items: Schema;
      /** How strategic merge and apply treat it: replaced whole, a set of scalars, or merged by these keys. */
      list: 'atomic' | 'set' | 'map';
      keys?: readonly string[];
    }
  | {
      type: 'object';
      /** Schemas may be recursive, so properties are looked up through a function of the generated module. */
      properties: Readonly<Record<string, Schema>>;
      required: readonly string[];
      /** Strategic merge: fields of which at most one survives a patch that sets another (retainKeys). */
      retainKeys?: boolean;
      /** Merged as one value. */
      atomic?: boolean;
    };
