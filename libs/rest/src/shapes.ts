import { type Column, type Kind, scaleColumns } from '@periplus/api';
import { StatusError } from '@periplus/apimachinery';
import type { Item, ObjectResult, WatchEncoding, WatchEvent } from '@periplus/operations';
import { toYaml } from './decode.ts';
import { type Encoding, PROTOBUF_TYPE, type Shape } from './media-types.ts';
import { encodeEvent, encodeObject } from './protobuf/encode.ts';
import { type Exchange, sendBytes, sendJson } from './respond.ts';
import { type IncludeObject, metadataOnly, type PartialObjectMetadata, partialMetadata, TableWriter } from './table.ts';

const EVENT_END = Buffer.from('}\n');
const EVENT_START = Object.fromEntries(
  ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK'].map((type) => [type, Buffer.from(`{"type":"${type}","object":`)]),
);

/** Sends one object in the shape that was agreed on. */
export async function sendItem(
  exchange: Exchange,
  kind: Kind,
  item: Item,
  code: number,
  { format, shape }: Encoding,
  include: IncludeObject,
): Promise<void> {
  if (format === 'protobuf') {
    sendBytes(
      exchange,
      code,
      PROTOBUF_TYPE,
      encodeObject(shape.kind === 'Object' ? item.object : metadataOf(kind, item, shape)),
    );
    return;
  }
  const shown = shape.kind === 'Object' ? item.bytes : itemText(kind, item, shape, include);
  if (format === 'yaml') {
    sendBytes(exchange, code, 'application/yaml', Buffer.from(await toYaml(shown.toString())));
  } else {
    sendJson(exchange, code, shown);
  }
}

/** A Status is no kind: it is shown as it is, whatever was asked for. */
export const isStatus = ({ object }: ObjectResult): boolean => object.kind === 'Status';

function itemText(kind: Kind, item: Item, shape: Shape, include: IncludeObject): string {
  if (shape.kind === 'Table') {
    // A part of an object may be of a kind of its own.
    const columns = item.object.kind === 'Scale' ? (scaleColumns as readonly Column<never>[]) : kind.columns;
    const table = new TableWriter(columns, shape.version, include, Date.now());
    return `${table.head({ resourceVersion: item.resourceVersion })}${table.row(item)}]}`;
  }
  return JSON.stringify(metadataOf(kind, item, shape));
}

function metadataOf(kind: Kind, item: Item, shape: Shape): PartialObjectMetadata {
  if (shape.kind === 'PartialObjectMetadataList') {
    const why = `the requested object is not a list (*${kind.version}.${kind.kind})`;
    throw new StatusError('NotAcceptable', `you requested PartialObjectMetadataList, but ${why}`);
  }
  return partialMetadata(item.object, `meta.k8s.io/${shape.version}`);
}

/** How the events of a watch become bytes. */
export function watchEncoding(kind: Kind, { format, shape }: Encoding, include: IncludeObject): WatchEncoding {
  if (format === 'protobuf') return protobufEvents(shape);
  if (shape.kind === 'Object') return { name: 'json', encode: (event) => frame(event, event.bytes) };
  if (shape.kind === 'Table') {
    const rows = (event: WatchEvent, withColumns: boolean) =>
      frame(event, tableOf(kind, event, shape, include, withColumns));
    return {
      name: `table/${shape.version}/${include}`,
      encode: (event) => rows(event, false),
      encodeFirst: (event) => rows(event, true),
    };
  }
  const apiVersion = `meta.k8s.io/${shape.version}`;
  return {
    name: `metadata/${shape.version}`,
    encode: (event) => frame(event, Buffer.from(metadataOnly(event.object, apiVersion))),
  };
}

function protobufEvents(shape: Shape): WatchEncoding {
  if (shape.kind === 'Object') {
    return { name: 'protobuf', encode: ({ type, object }) => encodeEvent(type, encodeObject(object)) };
  }
  const apiVersion = `meta.k8s.io/${shape.version}`;
  return {
    name: `protobuf-metadata/${shape.version}`,
    encode: ({ type, object }) => encodeEvent(type, encodeObject(partialMetadata(object, apiVersion))),
  };
}

function tableOf(kind: Kind, event: WatchEvent, shape: Shape, include: IncludeObject, withColumns: boolean): Buffer {
  const table = new TableWriter(kind.columns, shape.version, include, Date.now());
  const head = table.head({ resourceVersion: event.resourceVersion }, withColumns);
  // A bookmark is an object of the kind with nothing but a version: there is nothing to put into its cells.
  const row = event.type === 'BOOKMARK' ? table.emptyRow(event) : table.row(event);
  return Buffer.from(`${head}${row}]}`);
}

const frame = (event: WatchEvent, object: Buffer): Buffer =>
  Buffer.concat([EVENT_START[event.type]!, object, EVENT_END]);
