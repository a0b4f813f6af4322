import { type JsonObject, type JsonValue, setMember } from '@periplus/apimachinery';
import { type Field, type Message, messageName, messageOf } from './descriptors.ts';
import { MAGIC } from './encode.ts';
import { WireError, WireReader } from './wire-reader.ts';

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
  readMessage(raw ?? new WireReader(MAGIC, 0, 0), messageOf(messageName(apiVersion, kind)), object);
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

function readMessage(reader: WireReader, message: Message, into: JsonObject): void {
  while (reader.next()) {
    const field = message.byNumber.get(reader.field);
    if (!field) reader.skip();
    else if (field.name === '') readMessage(reader.message(), field.message, into);
    else readField(reader, field, into);
  }
}

function readField(reader: WireReader, field: Field, into: JsonObject): void {
  const { name, shape } = field;
  if (shape === 'one') {
    const value = readValue(reader, field);
    // Go writes zero values of plain fields to the wire, and leaves them out of JSON; those of structs it keeps.
    const isKept = field.pointer || field.always || field.type === 'IntOrString';
    if (value !== undefined && (isKept || !isZero(value))) into[name] = value;
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
    items.push(readValue(reader, field) ?? null);
  }
}

function readEntry(reader: WireReader, field: Field, entries: JsonObject): void {
  let key = '';
  let value: JsonValue = zeroOf(field);
  while (reader.next()) {
    if (reader.field === 1) key = reader.string();
    else if (reader.field !== 2) reader.skip();
    else if (field.wrapped) value = wrappedItems(reader.message(), field);
    else value = readValue(reader, field) ?? null;
  }
  setMember(entries, key, value);
}

const zeroOf = ({ type, wrapped }: Field): JsonValue => {
  if (wrapped) return [];
  return type === 's' || type === 'x' ? '' : type === 'i' ? 0 : type === 'b' ? false : {};
};

function wrappedItems(reader: WireReader, field: Field): JsonValue[] {
  const items: JsonValue[] = [];
  while (reader.next()) {
    if (reader.field === 1) items.push(readValue(reader, field) ?? null);
    else reader.skip();
  }
  return items;
}

/** Undefined is a time that was never set. */
function readValue(reader: WireReader, field: Field): JsonValue | undefined {
  switch (field.type) {
    case 's':
      return reader.string();
    case 'i':
      return reader.varint();
    case 'b':
      return reader.varint() !== 0;
    case 'd':
      return reader.double();
    case 'x':
      return reader.slice().toString('base64');
    case 'Quantity':
      return parts(reader.message())[1]?.string ?? '0';
    case 'IntOrString': {
      const { 1: kind, 2: number, 3: string } = parts(reader.message());
      return kind?.number ? (string?.string ?? '') : (number?.number ?? 0);
    }
    case 'Time':
    case 'MicroTime':
      return timeOf(parts(reader.message()), field.type === 'MicroTime' ? 6 : 0);
    case 'FieldsV1':
    case 'RawExtension': {
      const json = parts(reader.message())[1]?.string;
      return json ? (JSON.parse(json) as JsonValue) : undefined;
    }
    default: {
      const object: JsonObject = {};
      readMessage(reader.message(), field.message, object);
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
