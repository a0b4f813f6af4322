/**
 * Writes the definitions as one JavaScript module. Every definition is a constant, dependencies first, so
 * that loading it runs straight through; what refers back (JSONSchemaProps to itself) is filled in at the end.
 */
import type { Declared, Definition } from './declarations.ts';
import { type ListMarker, type Markers, markers, WRITTEN_UNSET } from './markers.ts';

/** Leaves that occur thousands of times. */
const LEAVES: Record<string, string> = {
  S: `{type:'string'}`,
  B: `{type:'boolean'}`,
  I: `{type:'integer',format:'int64'}`,
  J: `{type:'integer',format:'int32'}`,
  N: `{type:'number'}`,
  Q: `{type:'quantity'}`,
  X: `{type:'intOrString'}`,
  T: `{type:'string',format:'date-time'}`,
  U: `{type:'string',format:'micro-time'}`,
  Y: `{type:'string',format:'byte'}`,
  A: `{type:'any'}`,
  M: `{type:'map',values:S}`,
  L: `{type:'array',items:S,list:'atomic'}`,
};
const LEAF_OF: Record<string, string> = {
  string: 'S',
  boolean: 'B',
  integer: 'I',
  number: 'N',
  quantity: 'Q',
  intOrString: 'X',
  time: 'T',
  microTime: 'U',
  any: 'A',
};

/** Roots that are not kinds of stored objects, but bodies that clients send or read. */
const EXTRA_ROOTS = ['meta/v1.DeleteOptions', 'meta/v1.Status'];

/** Versions that are served. The package also carries long-gone ones. */
export const isServed = (id: string): boolean =>
  id.startsWith('metrics.k8s.io/') || (!/v\dbeta\d\./.test(id) && !id.startsWith('extensions/'));

const isKind = ({ type }: Pick<Definition, 'type'>): boolean =>
  type.is === 'object' &&
  'metadata' in type.properties &&
  type.properties.kind?.is === 'string' &&
  !('items' in type.properties);

/** What marks say of a property beside what its type says. */
const OF_REFERENCE: Readonly<Record<string, string>> = { granular: 'atomic:false', replace: 'replaced:true' };

/** How a list is merged, as members of its schema. */
function merging(mark: ListMarker): string {
  const [, only, how] = /^(?:(apply|patch) )?(.*)$/.exec(mark) as unknown as [string, string | undefined, string];
  const [list, ...parts] = how.split(' ');
  const keys = parts.map((part) => part.split('=') as [name: string, value?: string]);
  const defaults = Object.fromEntries(keys.filter(([, value]) => value !== undefined));
  return [
    `list:'${only === 'apply' ? 'atomic' : list}'`,
    ...(only ? [`applied:'${only === 'apply' ? list : 'atomic'}'`] : []),
    ...(keys.length > 0 ? [`keys:${JSON.stringify(keys.map(([name]) => name))}`] : []),
    ...(Object.keys(defaults).length > 0 ? [`keyDefaults:${JSON.stringify(defaults)}`] : []),
  ].join(',');
}

/** What Go writes of the members of a definition although they are absent, as a member of its schema. */
function writtenUnset({ properties }: Declared & { is: 'object' }, id: string): string {
  const marks = (WRITTEN_UNSET[id] ?? []).map(
    (mark) => /^(null )?(.*)$/.exec(mark)!.slice(1) as [string | undefined, string],
  );
  for (const [, name] of marks) {
    if (!(name in properties)) throw new Error(`${id} has no ${name}`);
  }
  if (marks.length === 0) return '';
  return `,unset:${JSON.stringify(Object.fromEntries(marks.map(([isNull, name]) => [name, isNull ? 'null' : 'zero'])))}`;
}

class ModuleWriter {
  readonly #definitions: ReadonlyMap<string, Definition>;
  readonly #lines: string[] = [];
  readonly #backReferences: { place: string; id: string }[] = [];
  /** Definition id to constant; null while it is being written. */
  readonly #constants = new Map<string, string | null>();
  readonly #unusedMarkers = new Set([...Object.keys(markers), ...Object.keys(WRITTEN_UNSET)]);
  #path: string[] = [];

  constructor(definitions: ReadonlyMap<string, Definition>) {
    this.#definitions = definitions;
  }

  write(): string {
    const roots = [...this.#definitions.values()].filter(
      (definition) => (isServed(definition.id) && isKind(definition)) || EXTRA_ROOTS.includes(definition.id),
    );
    const entries = roots.map(({ id }) => `'${id}':${this.#constant(id)}`);
    if (this.#unusedMarkers.size > 0) {
      throw new Error(`markers for definitions that no kind uses: ${[...this.#unusedMarkers].join(', ')}`);
    }
    const leaves = Object.entries(LEAVES).map(([name, text]) => `${name}=${text}`);
    return [
      '// Made by scripts/generate.ts from kubernetes-models. Not to be edited.',
      `const ${leaves.join(',')};`,
      ...this.#lines,
      ...this.#backReferences.map(({ place, id }) => `${place}=${this.#constants.get(id)};`),
      `export const schemas={${entries.join(',\n')}};`,
      '',
    ].join('\n');
  }

  #constant(id: string): string {
    const known = this.#constants.get(id);
    if (known) return known;
    const definition = this.#definitions.get(id);
    if (!definition) throw new Error(`no definition of ${id}`);
    if (definition.type.is !== 'object') return this.#text(definition.type);
    const name = `d${this.#constants.size}`;
    this.#constants.set(id, null);
    const outer = this.#path;
    this.#path = [name];
    const text = this.#object(definition.type, id);
    this.#path = outer;
    this.#lines.push(`const ${name}=${text};`);
    this.#constants.set(id, name);
    return name;
  }

  #object(type: Declared & { is: 'object' }, id: string): string {
    const marks: Markers = markers[id] ?? {};
    this.#unusedMarkers.delete(id);
    for (const name of Object.keys(marks)) {
      const of = type.properties[name]?.is;
      const fits =
        of === 'array' || (of === 'map' && marks[name] === 'atomic') || (of === 'ref' && marks[name]! in OF_REFERENCE);
      if (name && !fits) {
        throw new Error(`marker for ${id}.${name}, which is no list`);
      }
    }
    const properties: string[] = [];
    for (const [name, value] of Object.entries(type.properties)) {
      const text = this.#at(`properties[${JSON.stringify(name)}]`, () =>
        value.is === 'ref' && marks[name]
          ? `{...${this.#text(value)},${OF_REFERENCE[marks[name]]}}`
          : this.#text(value, marks[name] as ListMarker),
      );
      properties.push(`${/^[a-zA-Z]\w*$/.test(name) ? name : JSON.stringify(name)}:${text}`);
    }
    // Every kind requires these two; the decoder reads them before it knows the schema.
    const isKindItself = id !== '' && isKind({ type });
    const required = type.required.filter((name) => !isKindItself || (name !== 'apiVersion' && name !== 'kind'));
    const merge = marks[''] ? `,${marks['']}:true` : '';
    const unset = writtenUnset(type, id);
    const name = id && `,name:'${id.slice(id.lastIndexOf('.') + 1)}'`;
    return `{type:'object'${name},properties:{${properties.join(',')}},required:${JSON.stringify(required)}${unset}${merge}}`;
  }

  #text(type: Declared, mark?: ListMarker): string {
    switch (type.is) {
      case 'ref':
        return this.#reference(type.name);
      case 'map':
        return this.#map(type.values, mark !== undefined);
      case 'array':
        return this.#array(type.items, mark);
      case 'object':
        return this.#object(type, '');
      case 'string':
        if (type.enum) return `{type:'string',enum:${JSON.stringify(type.enum)}}`;
        return type.format === 'byte' ? 'Y' : 'S';
      case 'integer':
        return type.format === 'int32' ? 'J' : 'I';
      default:
        return LEAF_OF[type.is] as string;
    }
  }

  #map(values: Declared, isAtomic: boolean): string {
    const isPlain = values.is === 'string' && !values.format && !values.enum;
    if (isPlain && !isAtomic) return 'M';
    const text = this.#at('values', () => this.#text(values));
    return `{type:'map',values:${text}${isAtomic ? ',atomic:true' : ''}}`;
  }

  #array(items: Declared, mark: ListMarker | undefined): string {
    if (!mark && items.is === 'string' && !items.enum && !items.format) return 'L';
    const text = this.#at('items', () => this.#text(items));
    return `{type:'array',items:${text},${mark ? merging(mark) : "list:'atomic'"}}`;
  }

  #reference(id: string): string {
    if (this.#constants.get(id) !== null) return this.#constant(id);
    this.#backReferences.push({ place: this.#path.join('.'), id });
    return 'null';
  }

  #at(part: string, write: () => string): string {
    this.#path.push(part);
    const text = write();
    this.#path.pop();
    return text;
  }
}

export const moduleOf = (definitions: ReadonlyMap<string, Definition>): string => new ModuleWriter(definitions).write();
