import { type JsonObject, type JsonValue, setMember } from '@periplus/apimachinery';
import { MESSAGES } from './kubernetes-messages.ts';
import { WireError, WireReader } from './wire-reader.ts';

/** Clients built on client-go send this; they take JSON in return. */
export const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';

/** What every body begins with. https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding */
const MAGIC = Buffer.from('k8s\0');

interface Field {
  /** '' when the members of this message belong to its parent. */
  name: string;
  /** A scalar's letter or a message's full name. */
  type: string;
  shape: 'one' | 'list' | 'map';
  /** Items of a list, or values of a map, that are lists wrapped in messages. */
  wrapped: boolean;
  pointer: boolean;
  always: boolean;
}

type Message = ReadonlyMap<number, Field>;

let lines: ReadonlyMap<string, string> | null = null;
const parsed = new Map<string, Message>();

/**
 * The object that a protobuf body holds, as the JSON that the same client would have sent. Throws WireError for
 * what is not protobuf, or a kind that is not known in it.
 */
export function decodeProtobuf(body: Buffer): JsonObject {
  if (!body.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new WireError('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]');
  }
  const envelope = new WireReader(body, MAGIC.length);
  let apiVersion = '';
  let kind = '';
  let raw: WireReader | null = null;
  while (envelope.next()) {
    if (envelope.field === 1) [apiVersion, kind] = typeMeta(envelope.message());
    else if (envelope.field === 2) raw = envelope.message();
    else envelope.skip();
  }
  const object: JsonObject = { apiVersion, kind };
  readMessage(raw ?? new WireReader(MAGIC, 0, 0), messageName(apiVersion, kind), object);
  return object;
}

function typeMeta(reader: WireReader): [apiVersion: string, kind: string] {
  let apiVersion = '';
  let kind = '';
  while (reader.next()) {
    if (reader.field === 1) apiVersion = reader.string();
    else if (reader.field === 2) kind = reader.string();
    else reader.skip();
  }
  return [apiVersion, kind];
}

/** Packages are named by the first word of their group; options of all groups are the same. */
function messageName(apiVersion: string, kind: string): string {
  if (kind === 'DeleteOptions') return 'meta/v1.DeleteOptions';
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/', 2) : ['core', apiVersion];
  return `${group!.split('.', 1)[0]}/${version}.${kind}`;
}

function messageOf(name: string): Message {
  const known = parsed.get(name);
  if (known) return known;
  lines ??= new Map(
    MESSAGES.trim()
      .split('\n')
      .map((line) => {
        const space = line.indexOf(' ');
        return space < 0 ? [line, ''] : [line.slice(0, space), line.slice(space + 1)];
      }),
  );
  const line = lines.get(name);
  if (line === undefined) throw new WireError(`no protobuf message ${name} is known`);
  const message = new Map<number, Field>();
  for (const text of line.split(' ').filter((part) => part !== '')) {
    const [, number, member, shape, type, flags] = /^(\d+)(\w*):(\[\]|\{\})?((?:\[\])?[\w/.]+)([\^?!]*)$/.exec(text)!;
    message.set(Number(number), {
      name: member!,
      type: type!.replace(/^\[\]/, '').replace(/^\./, `${name.slice(0, name.lastIndexOf('.'))}.`),
      shape: shape === '[]' ? 'list' : shape === '{}' ? 'map' : 'one',
      wrapped: flags!.includes('^'),
      pointer: flags!.includes('?'),
      always: flags!.includes('!'),
    });
  }
  parsed.set(name, message);
  return message;
}

function readMessage(reader: WireReader, name: string, into: JsonObject): void {
  const message = messageOf(name);
  while (reader.next()) {
    const field = message.get(reader.field);
    if (!field) reader.skip();
    else if (field.name === '') readMessage(reader.message(), field.type, into);
    else readField(reader, field, into);
  }
}

function readField(reader: WireReader, field: Field, into: JsonObject): void {
  const { name, shape } = field;
  if (shape === 'one') {
    const value = readValue(reader, field.type);
    // Go writes zero values of plain fields to the wire, and leaves them out of JSON.
    if (value !== undefined && (field.pointer || field.always || !isZero(value))) into[name] = value;
    return;
  }
  into[name] ??= shape === 'list' ? [] : {};
  if (shape === 'list') readItems(reader, field, into[name] as JsonValue[]);
  else readEntry(reader.message(), field, into[name] as JsonObject);
}

const isZero = (value: JsonValue): boolean => value === '' || value === 0 || value === false;

function readItems(reader: WireReader, field: Field, items: JsonValue[]): void {
  if (field.type === 'i' && reader.wireType === 2) {
    // A run of integers without tags.
    for (const packed = reader.message(); !packed.ended; ) items.push(packed.varint());
  } else {
    items.push(readValue(reader, field.type) ?? null);
  }
}

function readEntry(reader: WireReader, field: Field, entries: JsonObject): void {
  let key = '';
  let value: JsonValue = zeroOf(field);
  while (reader.next()) {
    if (reader.field === 1) key = reader.string();
    else if (reader.field !== 2) reader.skip();
    else if (field.wrapped) value = wrappedItems(reader.message(), field.type);
    else value = readValue(reader, field.type) ?? null;
  }
  setMember(entries, key, value);
}

const zeroOf = ({ type, wrapped }: Field): JsonValue => {
  if (wrapped) return [];
  return type === 's' || type === 'x' ? '' : type === 'i' ? 0 : type === 'b' ? false : {};
};

function wrappedItems(reader: WireReader, type: string): JsonValue[] {
  const items: JsonValue[] = [];
  while (reader.next()) {
    if (reader.field === 1) items.push(readValue(reader, type) ?? null);
    else reader.skip();
  }
  return items;
}

/** Undefined is a time that was never set. */
function readValue(reader: WireReader, type: string): JsonValue | undefined {
  switch (type) {
    case 's':
      return reader.string();
    case 'i':
      return reader.varint();
    case 'b':
      return reader.varint() !== 0;
    case 'd':
      return reader.double();
    case 'x':
      return Buffer.from(reader.slice()).toString('base64');
    case 'Quantity':
      return parts(reader.message())[1]?.string ?? '0';
    case 'IntOrString': {
      const { 1: kind, 2: number, 3: string } = parts(reader.message());
      return kind?.number ? (string?.string ?? '') : (number?.number ?? 0);
    }
    case 'Time':
    case 'MicroTime':
      return timeOf(parts(reader.message()), type === 'MicroTime' ? 6 : 0);
    case 'FieldsV1':
    case 'RawExtension': {
      const json = parts(reader.message())[1]?.string;
      return json ? (JSON.parse(json) as JsonValue) : undefined;
    }
    default: {
      const object: JsonObject = {};
      readMessage(reader.message(), type, object);
      return object;
    }
  }
}

/** The fields of a small message of scalars, by number. */
function parts(reader: WireReader): Record<number, { number?: number; string?: string }> {
  const found: Record<number, { number?: number; string?: string }> = {};
  while (reader.next()) {
    const { field, wireType } = reader;
    if (wireType === 0) found[field] = { number: reader.varint() };
    else if (wireType === 2) found[field] = { string: reader.string() };
    else reader.skip();
  }
  return found;
}

/** RFC 3339 in UTC; whole seconds, or with microseconds. */
function timeOf({ 1: seconds, 2: nanos }: ReturnType<typeof parts>, digits: number): string | undefined {
  if (seconds === undefined && nanos === undefined) return undefined;
  const whole = new Date((seconds?.number ?? 0) * 1000).toISOString().slice(0, 19);
  const fraction = String(Math.floor((nanos?.number ?? 0) / 1000)).padStart(6, '0');
  return digits === 0 ? `${whole}Z` : `${whole}.${fraction}Z`;
}
