import type { DeepReadonly, FieldSet, JsonObject, JsonValue, ManagedFieldsEntry } from '../object.ts';
import type { ArraySchema, ObjectSchema, Schema } from '../schema.ts';
import { blankOf, changedFields, compareObjects } from './compare.ts';
import { isEmpty } from './field-set.ts';
import { isOneValue, memberSchema } from './fields-of.ts';
import { entryOf, type Manager, ownable } from './managed-fields.ts';
import { share } from './shared-fields.ts';

/** What is remembered of all kinds together, in steps; then everything starts anew. */
const STEPS_MAX = 100_000;
/** So many characters of a set's JSON count as one step, about what they take. */
const CHARS_PER_STEP = 50;

/** How much is remembered, and by whom. */
const memory = { steps: 0, holders: new Set<CreatedFields>() };

/** Stands for the end of an object or list, where any text may be a member. */
const END = Symbol('end');

/** A place on the way through objects, after one more member or item. */
class Step {
  /** Most places lead to one other, which needs no map. */
  private element: unknown = END;
  private only: Step | undefined;
  private others: Map<unknown, Step> | undefined;
  /** Of the value that was stepped into. */
  readonly schema: Schema;
  readonly isLeaf: boolean;
  /** Where the way ends: the fields of objects of this shape. */
  fields: FieldSet | undefined;

  constructor(schema: Schema) {
    this.schema = schema;
    this.isLeaf = isOneValue(schema);
  }

  to(element: unknown): Step | undefined {
    return element === this.element ? this.only : this.others?.get(element);
  }

  lead(element: unknown, step: Step): void {
    if (this.only === undefined) {
      this.element = element;
      this.only = step;
    } else {
      this.others ??= new Map();
      this.others.set(element, step);
    }
  }
}

/**
 * The fields that belong to who creates an object of one kind, remembered by its shape: the names of its members and
 * the keys of its list items. Most objects that are created are like others but for their values, and a walk that
 * only compares names takes a fraction of the time that a new set of fields does, to make and to write out.
 */
export class CreatedFields {
  private readonly schema: ObjectSchema;
  private readonly names: readonly string[];
  private start: Step;

  /** `names` are the members that a creator may set. */
  constructor(schema: ObjectSchema, names: readonly string[]) {
    this.schema = schema;
    this.names = names;
    this.start = new Step(schema);
  }

  /** Who manages a new object. */
  managedBy(by: Manager, time: string, object: DeepReadonly<JsonObject>): ManagedFieldsEntry[] {
    const fields = this.fieldsOf(object);
    return isEmpty(fields) ? [] : [entryOf(by, time, fields)];
  }

  private fieldsOf(object: DeepReadonly<JsonObject>): FieldSet {
    if (memory.steps >= STEPS_MAX) {
      for (const holder of memory.holders) holder.start = new Step(holder.schema);
      memory.holders.clear();
      memory.steps = 0;
    }
    let at: Step = this.start;
    for (let i = 0; i < this.names.length; i++) {
      const name = this.names[i] as string;
      const value = object[name] as JsonValue | undefined;
      if (value !== undefined) at = this.member(at, name, value, this.schema);
    }
    if (at.fields === undefined) {
      const changes = compareObjects(blankOf(this.schema), object, this.schema, this.names);
      at.fields = ownable(changedFields(changes), this.names);
      memory.steps += Math.ceil(share(at.fields) / CHARS_PER_STEP);
      memory.holders.add(this);
    }
    return at.fields;
  }

  private member(from: Step, name: string, value: JsonValue, schema: Schema): Step {
    const at = from.to(name) ?? this.add(from, name, memberSchema(schema, name));
    return at.isLeaf ? at : this.inside(at, value, at.schema);
  }

  private inside(from: Step, value: JsonValue, schema: Schema): Step {
    if (typeof value !== 'object' || value === null) return from;
    let at = from;
    if (Array.isArray(value)) {
      for (let i = 0; i < value.length; i++) at = this.item(at, value[i] as JsonValue, schema as ArraySchema);
    } else {
      for (const name in value) {
        const inner = value[name];
        if (inner !== undefined) at = this.member(at, name, inner, schema);
      }
    }
    return at.to(END) ?? this.add(at, END, schema);
  }

  private item(from: Step, item: JsonValue, schema: ArraySchema): Step {
    const { keys, items } = schema;
    if (keys === undefined || typeof item !== 'object' || item === null || Array.isArray(item)) {
      return from.to(item) ?? this.add(from, item, items);
    }
    let at = from;
    for (let i = 0; i < keys.length; i++) {
      const value = item[keys[i] as string];
      at = at.to(value) ?? this.add(at, value, items);
    }
    return this.inside(at, item, items);
  }

  private add(from: Step, element: unknown, schema: Schema): Step {
    const step = new Step(schema);
    memory.steps++;
    // Beyond the limit a step leads somewhere, but is not found again.
    if (memory.steps < STEPS_MAX) from.lead(element, step);
    return step;
  }
}
