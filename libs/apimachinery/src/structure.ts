import { isJsonObject, jsonTypeOf, NESTING_MAX, setMember, TOO_DEEP } from './json-value.ts';
import type { JsonObject, JsonValue } from './object.ts';
import { parseQuantity, quantityProblem } from './quantity.ts';
import type { ArraySchema, ObjectSchema, Schema } from './schema.ts';
import { badRequest, type StatusError } from './status-error.ts';
import { canonicalTime } from './time.ts';

/** As many unknown fields as are reported, as in kube-apiserver; all of them are pruned. */
const REPORTED_MAX = 100;

export interface StructureReport {
  /** In the words of Go's decoder; undefined when all types are right. */
  readonly problem: string | undefined;
  /** Paths of fields that the schema does not know, which are gone now: `spec.containers[0].imagee`. */
  readonly unknownFields: readonly string[];
}

/**
 * Makes freshly decoded JSON an object of `schema`, in one walk and in place: checks the types, prunes unknown
 * fields, nulls, and empty maps and lists, gives required members that are missing Go's zero value, like others that Go
 * never leaves out, and writes quantities and times the way Kubernetes does (`1000m` becomes `1`). After a problem the object is half done and must be thrown away.
 */
export const conform = (object: JsonObject, schema: Schema): StructureReport => walkOver(object, schema, new Walk());

/** As `conform`, for an object that need not be whole: what is missing stays missing, and what is said to be null is. */
export function conformPart(object: JsonObject, schema: Schema): StructureReport {
  const walk = new Walk();
  walk.isPart = true;
  return walkOver(object, schema, walk);
}

function walkOver(object: JsonObject, schema: Schema, walk: Walk): StructureReport {
  try {
    checkOf(schema)(object, walk);
  } catch (error) {
    if (error instanceof Mismatch) return { problem: error.message, unknownFields: [] };
    throw error;
  }
  return { problem: undefined, unknownFields: walk.unknownFields };
}

/** The error of a body that is no `kind`: `problem` is what `conform` or `strictDecodingProblem` said. */
export const cannotBeHandled = (kind: string, version: string, problem: string): StatusError =>
  badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${problem}`);

/** One text for what strict field validation found: `unknown field "spec.foo"`, `duplicate field "spec"`. */
export const strictDecodingProblem = (warnings: readonly string[]): string =>
  `strict decoding error: ${warnings.join(', ')}`;

/** The single findings, which field validation `Warn` sends as warnings. */
export const fieldWarnings = (unknownFields: readonly string[], duplicateFields: readonly string[]): string[] => [
  ...duplicateFields.map((path) => `duplicate field ${JSON.stringify(path)}`),
  ...unknownFields.map((path) => `unknown field ${JSON.stringify(path)}`),
];

class Mismatch extends Error {}

/** Where the walk is. One object and one array per walk: the paths are only put together when needed. */
class Walk {
  readonly unknownFields: string[] = [];
  /** From the root: names of struct fields, indices, and names of map entries with a leading newline. */
  readonly steps: (string | number)[] = [];
  depth = 0;
  isPart = false;
  /** The Go type of the innermost struct. */
  struct = '';

  down(step: string | number): void {
    if (this.depth >= NESTING_MAX) throw new Mismatch(TOO_DEEP);
    this.steps[this.depth++] = step;
  }

  reportUnknown(name: string): void {
    if (this.unknownFields.length >= REPORTED_MAX) return;
    let path = '';
    for (const step of this.steps.slice(0, this.depth)) {
      if (typeof step === 'number') path += `[${step}]`;
      else path += `${path && '.'}${step.startsWith('\n') ? step.slice(1) : step}`;
    }
    this.unknownFields.push(path ? `${path}.${name}` : name);
  }

  /** Go names the struct fields of the way, but neither indices nor map entries. */
  mismatch(found: string, type: string): Mismatch {
    const fields = this.steps.slice(0, this.depth).filter((step) => typeof step === 'string' && !step.startsWith('\n'));
    const place = fields.length > 0 ? `struct field ${this.struct}.${fields.join('.')}` : 'value';
    return new Mismatch(`json: cannot unmarshal ${found} into Go ${place} of type ${type}`);
  }
}

/** Returns what to keep: `value` itself, another way to write it, or null for nothing. */
type Check = (value: JsonValue, walk: Walk) => JsonValue;

/** Schemas live as long as their kinds, and each is compiled once. */
const compiled = new WeakMap<Schema, Check>();

function checkOf(schema: Schema): Check {
  let check = compiled.get(schema);
  if (!check) {
    check = compile(schema);
    compiled.set(schema, check);
  }
  return check;
}

function compile(schema: Schema): Check {
  switch (schema.type) {
    case 'object':
      return objectCheck(schema);
    case 'array':
      return arrayCheck(schema);
    case 'map':
      return mapCheck(schema.values);
    case 'string':
      return schema.format ? FORMATS[schema.format] : checkString;
    case 'integer':
      return schema.format === 'int32' ? checkInt32 : checkInt64;
    case 'number':
      return checkNumber;
    case 'boolean':
      return checkBoolean;
    case 'quantity':
      return checkQuantity;
    case 'intOrString':
      return checkIntOrString;
    case 'any':
      return checkAnything;
  }
}

const checkString: Check = (value, walk) => {
  if (typeof value !== 'string') throw walk.mismatch(jsonTypeOf(value), 'string');
  return value;
};

const INT32_MAX = 2 ** 31 - 1;
const INT64_MAX = 2 ** 63;

const checkInt32: Check = (value, walk) => {
  if (typeof value !== 'number') throw walk.mismatch(jsonTypeOf(value), 'int32');
  if (!Number.isInteger(value) || value > INT32_MAX || value < -INT32_MAX - 1) {
    throw walk.mismatch(`number ${value}`, 'int32');
  }
  return value;
};

const checkInt64: Check = (value, walk) => {
  if (typeof value !== 'number') throw walk.mismatch(jsonTypeOf(value), 'int64');
  if (!Number.isInteger(value) || value >= INT64_MAX || value < -INT64_MAX) {
    throw walk.mismatch(`number ${value}`, 'int64');
  }
  return value;
};

const checkNumber: Check = (value, walk) => {
  if (typeof value !== 'number') throw walk.mismatch(jsonTypeOf(value), 'float64');
  return value;
};

const checkBoolean: Check = (value, walk) => {
  if (typeof value !== 'boolean') throw walk.mismatch(jsonTypeOf(value), 'bool');
  return value;
};

const checkQuantity: Check = (value) => {
  const text = typeof value === 'string' || typeof value === 'number' ? value : JSON.stringify(value);
  const problem = quantityProblem(text);
  if (problem) throw new Mismatch(problem);
  return parseQuantity(text).toString();
};

const checkIntOrString: Check = (value) => {
  if (typeof value === 'string') return value;
  const type = typeof value === 'number' ? `number ${value}` : jsonTypeOf(value);
  if (typeof value !== 'number' || !Number.isInteger(value) || Math.abs(value) > INT32_MAX) {
    throw new Mismatch(`json: cannot unmarshal ${type} into Go value of type int32`);
  }
  return value;
};

const checkAnything: Check = (value, walk) => {
  if (typeof value === 'object' && value !== null) checkDepth(value, walk.depth);
  return value;
};

function checkDepth(value: JsonObject | JsonValue[], depth: number): void {
  if (depth > NESTING_MAX) throw new Mismatch(TOO_DEEP);
  for (const member of Array.isArray(value) ? value : Object.values(value)) {
    if (typeof member === 'object' && member !== null) checkDepth(member, depth + 1);
  }
}

function checkTime(value: JsonValue, precision: 'seconds' | 'micros'): JsonValue {
  if (typeof value !== 'string') {
    throw new Mismatch(`json: cannot unmarshal ${jsonTypeOf(value)} into Go value of type string`);
  }
  const time = canonicalTime(value, precision);
  if (time === undefined) {
    const layout = precision === 'seconds' ? '2006-01-02T15:04:05Z07:00' : '2006-01-02T15:04:05.000000Z07:00';
    const shown = JSON.stringify(value);
    throw new Mismatch(`parsing time ${shown} as "${layout}": cannot parse ${shown} as "2006"`);
  }
  return time;
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const FORMATS: Record<'date-time' | 'micro-time' | 'byte', Check> = {
  'date-time': (value) => checkTime(value, 'seconds'),
  'micro-time': (value) => checkTime(value, 'micros'),
  byte: (value, walk) => {
    if (typeof value !== 'string') throw walk.mismatch(jsonTypeOf(value), '[]uint8');
    // Go skips line ends, which base64(1) writes.
    const text = /[\r\n]/.test(value) ? value.replace(/[\r\n]/g, '') : value;
    if (!BASE64.test(text)) throw new Mismatch(`illegal base64 data at input byte ${firstBadByte(text)}`);
    return text;
  },
};

const firstBadByte = (text: string): number => {
  const bad = text.search(/[^A-Za-z0-9+/]/);
  return bad === -1 ? text.length - (text.length % 4) : bad;
};

function objectCheck(schema: ObjectSchema): Check {
  const type = goTypeOf(schema);
  const struct = schema.name ?? 'Object';
  let members: Map<string, Check> | undefined;
  const always = alwaysThere(schema);
  return (value, walk) => {
    if (!isJsonObject(value)) throw walk.mismatch(jsonTypeOf(value), type);
    members ??= new Map(Object.keys(schema.properties).map((name) => [name, lazyCheck(schema, name)]));
    const outer = walk.struct;
    walk.struct = struct;
    for (const name in value) {
      const check = members.get(name);
      if (check === undefined) {
        walk.reportUnknown(name);
        delete value[name];
        continue;
      }
      const member = value[name] as JsonValue;
      if (member === null) {
        if (!walk.isPart) delete value[name];
        continue;
      }
      walk.down(name);
      const kept = check(member, walk);
      walk.depth--;
      if (kept === null) delete value[name];
      else if (kept !== member) value[name] = kept;
    }
    walk.struct = outer;
    return walk.isPart ? value : fillIn(value, always);
  };
}

/**
 * Members that Go never leaves out, whatever the client did, and what it writes for them: a function where each object
 * needs one of its own. Validation says what is wrong with zero values of what is required, and nobody has to reckon with
 * a container that has no name at all. Structs that are required stay absent: validation asks for them.
 */
function alwaysThere({ required, properties, unset = {} }: ObjectSchema): Always[] {
  const always: Always[] = [];
  for (const name of required) {
    const schema = name in unset ? undefined : properties[name];
    const isPlain = schema && schema.type !== 'object' && schema.type !== 'map' && zeroOf(schema) !== null;
    if (isPlain) always.push([name, () => zeroOf(schema)]);
  }
  for (const name in unset) {
    const schema = properties[name] as Schema;
    always.push([name, unset[name] === 'null' ? () => null : () => zeroOf(schema)]);
  }
  return always;
}

type Always = readonly [name: string, written: () => JsonValue];

function fillIn(object: JsonObject, always: readonly Always[]): JsonObject {
  for (let i = 0; i < always.length; i++) {
    const [name, written] = always[i] as Always;
    if (!Object.hasOwn(object, name)) object[name] = written();
  }
  return object;
}

/**
 * A schema may contain itself, so members are compiled when they are first seen. Null stands for an empty map or list
 * that Go leaves out, or writes as null: kube-apiserver stores protobuf, in which an empty list is none.
 */
function lazyCheck(schema: ObjectSchema, name: string): Check {
  const member = schema.properties[name] as Schema;
  if (member.type !== 'object' && member.type !== 'array' && member.type !== 'map') return checkOf(member);
  let check: Check | undefined;
  const isLeftOut = !schema.required.includes(name) || schema.unset?.[name] === 'null';
  if (member.type !== 'object' && isLeftOut) {
    return (value, walk) => {
      check ??= checkOf(member);
      const kept = check(value, walk);
      return walk.isPart || !isEmpty(kept as JsonObject | JsonValue[]) ? kept : null;
    };
  }
  return (value, walk) => {
    check ??= checkOf(member);
    return check(value, walk);
  };
}

function isEmpty(value: JsonObject | JsonValue[]): boolean {
  if (Array.isArray(value)) return value.length === 0;
  for (const _ in value) return false;
  return true;
}

function arrayCheck(schema: ArraySchema): Check {
  const type = goTypeOf(schema);
  const check = checkOf(schema.items);
  return (value, walk) => {
    if (!Array.isArray(value)) throw walk.mismatch(jsonTypeOf(value), type);
    for (let i = 0; i < value.length; i++) {
      const item = value[i] as JsonValue;
      walk.down(i);
      const kept = item === null ? zeroOf(schema.items) : check(item, walk);
      walk.depth--;
      if (kept !== item) value[i] = kept;
    }
    return value;
  };
}

function mapCheck(values: Schema): Check {
  const type = `map[string]${goTypeOf(values)}`;
  const check = checkOf(values);
  return (value, walk) => {
    if (!isJsonObject(value)) throw walk.mismatch(jsonTypeOf(value), type);
    for (const name in value) {
      const member = value[name] as JsonValue;
      walk.down(values.type === 'string' ? '\n' : `\n${name}`);
      const kept = member === null ? zeroOf(values) : check(member, walk);
      walk.depth--;
      if (kept !== member) setMember(value, name, kept);
    }
    return value;
  };
}

/** What Go decodes null to where there must be a value: in lists and maps. */
function zeroOf(schema: Schema): JsonValue {
  switch (schema.type) {
    case 'string':
      return schema.format === 'date-time' || schema.format === 'micro-time' ? null : '';
    case 'integer':
    case 'number':
    case 'intOrString':
      return 0;
    case 'boolean':
      return false;
    case 'quantity':
      return '0';
    case 'map':
      return {};
    case 'object':
      return fillIn({}, alwaysThere(schema));
    case 'array':
      return [];
    case 'any':
      return null;
  }
}

function goTypeOf(schema: Schema): string {
  switch (schema.type) {
    case 'object':
      return `v1.${schema.name ?? 'Object'}`;
    case 'array':
      return `[]${goTypeOf(schema.items)}`;
    case 'map':
      return `map[string]${goTypeOf(schema.values)}`;
    case 'string':
      if (schema.format === 'byte') return '[]uint8';
      return schema.format ? 'v1.Time' : 'string';
    case 'integer':
      return schema.format ?? 'int64';
    case 'number':
      return 'float64';
    case 'boolean':
      return 'bool';
    case 'quantity':
      return 'resource.Quantity';
    case 'intOrString':
      return 'intstr.IntOrString';
    case 'any':
      return 'runtime.RawExtension';
  }
}
