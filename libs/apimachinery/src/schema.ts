/**
 * The structure of a kind, generated at build time from the declarations of `kubernetes-models`
 * (scripts/generate.ts) and completed by hand where those say nothing (list map keys).
 */
export type Schema =
  | {
      type: 'string';
      /** `date-time` has seconds, `micro-time` has microseconds (Lease, Event), `byte` is base64. */
      format?: 'date-time' | 'micro-time' | 'byte';
      enum?: readonly string[];
    }
  /** Without a format an integer is checked as int64. */
  | { type: 'integer'; format?: 'int32' | 'int64' }
  | { type: 'number' | 'boolean' }
  | { type: 'quantity' }
  | { type: 'intOrString' }
  /** Anything goes: raw extensions, JSON. */
  | { type: 'any' }
  | {
      type: 'map';
      values: Schema;
      /** Server-side apply treats it as one value. */
      atomic?: boolean;
    }
  | ArraySchema
  | ObjectSchema;

export interface ArraySchema {
  type: 'array';
  items: Schema;
  /** How strategic merge and apply treat it: replaced whole, a set of scalars, or merged by `keys`. */
  list: 'atomic' | 'set' | 'map';
  /** How apply alone treats it, where that differs. */
  applied?: 'atomic' | 'set' | 'map';
  /** What identifies an item of a `map` list; strategic merge goes by the first one alone. */
  keys?: readonly string[];
  /** What apply takes for a key that an item leaves out. */
  keyDefaults?: Readonly<Record<string, string>>;
}

export interface ObjectSchema {
  type: 'object';
  /** The name of the Go type, which decoding errors mention: `DeploymentSpec`. */
  name?: string;
  /** Schemas may be recursive: the generated module then defines a property as a getter. */
  properties: Readonly<Record<string, Schema>>;
  required: readonly string[];
  /** Members that are written even when they are absent: with the zero value of their type, or as null, like empty ones. */
  unset?: Readonly<Record<string, 'zero' | 'null'>>;
  /** Clients send `$retainKeys` for it: of its members, those that a patch does not name go away. */
  retainKeys?: boolean;
  /** Server-side apply treats it as one value. */
  atomic?: boolean;
  /** Strategic merge treats it as one value. */
  replaced?: boolean;
}
