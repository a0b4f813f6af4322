import type { DeepReadonly, JsonObject, JsonValue } from '@periplus/apimachinery';
import { type Field, type Message, messageName, messageOf } from './descriptors.ts';
import { WireWriter } from './wire-writer.ts';

/** What every body begins with. https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding */
export const MAGIC = Buffer.from('k8s\0');

type Value = DeepReadonly<JsonValue>;
type Members = Readonly<Record<string, Value | undefined>>;

/** Shared: an object is written in one go. What an object that could not be written has left is cleared by the next. */
const writer = new WireWriter();

/** An object with its kind around it, as a body or as the object of an event. Throws WireError for unknown kinds. */
export function encodeObject(object: { readonly apiVersion?: string; readonly kind?: string }): Buffer {
  const { apiVersion = '', kind = '' } = object;
  const message = messageOf(messageName(apiVersion, kind));
  writer.clear();
  writeMessage(message, object as Members);
  writeLength(2, 0);
  writeTypeMeta(apiVersion, kind);
  writer.raw(MAGIC);
  return writer.finish();
}

/** The members of an object without its kind, as lists hold them. `name` is that of a message. */
export function encodeMembers(name: string, object: object): Buffer {
  const message = messageOf(name);
  writer.clear();
  writeMessage(message, object as Members);
  return writer.finish();
}

/**
 * What stands in front of the items of a list whose encoded items, each behind its `itemHead`, are `itemBytes` long.
 * All lists are alike: metadata, then items.
 */
export function listHead(apiVersion: string, kind: string, metadata: object, itemBytes: number): Buffer {
  writer.clear();
  writeMessage(messageOf('meta/v1.ListMeta'), metadata as Members);
  writeLength(1, 0);
  writer.varint(writer.length + itemBytes);
  writer.tag(2, 2);
  writeTypeMeta(apiVersion, kind);
  writer.raw(MAGIC);
  return writer.finish();
}

export function itemHead(bytes: number): Buffer {
  writer.varint(bytes);
  writer.tag(2, 2);
  return writer.finish();
}

/** One event of a watch behind its length, which is how events are told apart. `object` is an encoded object. */
export function encodeEvent(type: string, object: Buffer): Buffer {
  writer.raw(object);
  writeLength(1, 0);
  writeLength(2, 0);
  const end = writer.length;
  writer.text(type);
  writeLength(1, end);
  const frame = Buffer.alloc(4);
  frame.writeUInt32BE(writer.length);
  writer.raw(frame);
  return writer.finish();
}

function writeTypeMeta(apiVersion: string, kind: string): void {
  const end = writer.length;
  writeText(2, kind);
  writeText(1, apiVersion);
  writeLength(1, end);
}

function writeLength(field: number, start: number): void {
  writer.lengthSince(start);
  writer.tag(field, 2);
}

function writeText(field: number, text: string): void {
  const start = writer.length;
  writer.text(text);
  writeLength(field, start);
}

function writeNumber(field: number, value: number): void {
  writer.varint(value);
  writer.tag(field, 0);
}

function writeMessage(message: Message, object: Members): void {
  for (const field of message.backwards) {
    if (field.name === '') {
      const start = writer.length;
      writeMessage(field.message, object);
      if (writer.length > start) writeLength(field.number, start);
      continue;
    }
    const value = object[field.name];
    if (value === undefined || value === null) continue;
    if (field.shape === 'one') writeField(field, field.number, value);
    else if (field.shape === 'list') writeItems(field, field.number, value as readonly Value[]);
    else writeEntries(field, value as Members);
  }
}

function writeItems(field: Field, number: number, items: readonly Value[]): void {
  for (let i = items.length - 1; i >= 0; i--) writeField(field, number, items[i]!);
}

/** By key, as Go writes them: equal objects have equal bytes. */
function writeEntries(field: Field, entries: Members): void {
  for (const key of Object.keys(entries).sort().reverse()) {
    const start = writer.length;
    const value = entries[key]!;
    if (field.wrapped) {
      writeItems(field, 1, value as readonly Value[]);
      writeLength(2, start);
    } else {
      writeField(field, 2, value);
    }
    writeText(1, key);
    writeLength(field.number, start);
  }
}

function writeField(field: Field, number: number, value: Value): void {
  switch (field.type) {
    case 's':
      writeText(number, value === null ? '' : String(value));
      return;
    case 'i':
      writeNumber(number, Number(value));
      return;
    case 'b':
      writeNumber(number, value ? 1 : 0);
      return;
    case 'd':
      writer.double(value as number);
      writer.tag(number, 1);
      return;
  }
  const start = writer.length;
  switch (field.type) {
    case 'x':
      writer.raw(Buffer.from(String(value ?? ''), 'base64'));
      break;
    case 'Quantity':
      writeText(1, String(value));
      break;
    case 'IntOrString':
      writeIntOrString(value as string | number);
      break;
    case 'Time':
    case 'MicroTime':
      writeTime(value as string);
      break;
    case 'FieldsV1':
    case 'RawExtension':
      writeText(1, JSON.stringify(value));
      break;
    default:
      writeMessage(field.message, (value ?? {}) as JsonObject);
  }
  writeLength(number, start);
}

function writeIntOrString(value: string | number): void {
  const isText = typeof value === 'string';
  writeText(3, isText ? value : '');
  writeNumber(2, isText ? 0 : value);
  writeNumber(1, isText ? 1 : 0);
}

/** Seconds and nanoseconds since the epoch. */
function writeTime(text: string): void {
  const fraction = /\.(\d{1,9})/.exec(text)?.[1] ?? '';
  writeNumber(2, Number(fraction.padEnd(9, '0')));
  writeNumber(1, Math.floor(Date.parse(text) / 1000));
}
