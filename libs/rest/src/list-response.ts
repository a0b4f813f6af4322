import type { Kind } from '@periplus/api';
import { apiVersionOf } from '@periplus/apimachinery';
import type { Item, ListResult } from '@periplus/operations';
import { CoalescingWriter } from './coalesce.ts';
import { bodyStream } from './compression.ts';
import { toYaml } from './decode.ts';
import { listMetadata, notOneObject } from './list-metadata.ts';
import type { Encoding } from './media-types.ts';
import { sendProtobufList } from './protobuf-list.ts';
import { apiHeaders, type Exchange, indented, sendBytes } from './respond.ts';
import { type IncludeObject, metadataOnly, TableWriter } from './table.ts';

const COMMA = Buffer.from(',');
const OPEN = Buffer.from('{');

/** A list as text around its items: what stands in front, of what an item is made, what stands behind. */
interface ListForm {
  head: string;
  item(item: Item): readonly (Buffer | string)[];
  tail: string;
}

/** Sends a list. The items' own bytes are written out as they are; nothing of the size of the list is held. */
export async function sendList(
  exchange: Exchange,
  kind: Kind,
  list: ListResult,
  encoding: Encoding,
  include: IncludeObject,
): Promise<void> {
  if (encoding.format === 'protobuf') {
    await sendProtobufList(exchange, kind, list, encoding.shape);
    return;
  }
  const type = typeOf(kind);
  const form = formOf(kind, list, encoding, include);
  if (encoding.format === 'yaml' || exchange.pretty) {
    await sendForPeople(exchange, list, form, encoding.format);
    return;
  }
  const asStored = encoding.shape.kind === 'Object' && list.bytes !== undefined;
  const untyped = list.items.length * (type.length - OPEN.length);
  await stream(exchange, list, form, asStored ? list.bytes! - untyped : undefined);
}

async function stream(exchange: Exchange, list: ListResult, form: ListForm, itemBytes: number | undefined) {
  const { request, response } = exchange;
  const known =
    itemBytes === undefined
      ? undefined
      : Buffer.byteLength(form.head) + itemBytes + Math.max(0, list.items.length - 1) + form.tail.length;
  const writer = new CoalescingWriter((whole) => {
    apiHeaders(exchange, 'application/json');
    return bodyStream(request, response, known ?? whole);
  });
  writer.addText(form.head);
  let first = true;
  for (const item of list.items) {
    if (first) first = false;
    else writer.add(COMMA);
    for (const piece of form.item(item)) {
      if (typeof piece === 'string') writer.addText(piece);
      else writer.add(piece);
    }
    if (writer.full) {
      await writer.room();
      if (response.destroyed) break;
    }
  }
  writer.addText(form.tail);
  writer.end();
}

/** Indented JSON or YAML: made whole, since nobody reads more of it than fits. */
async function sendForPeople(exchange: Exchange, list: ListResult, form: ListForm, format: 'json' | 'yaml') {
  const json = `${form.head}${list.items.map((item) => form.item(item).join('')).join(',')}${form.tail}`;
  if (format === 'json') sendBytes(exchange, 200, 'application/json', indented(json));
  else sendBytes(exchange, 200, 'application/yaml', Buffer.from(await toYaml(json)));
}

function formOf(kind: Kind, list: ListResult, { shape }: Encoding, include: IncludeObject): ListForm {
  const metadata = listMetadata(list);
  const apiVersion = apiVersionOf(kind);
  switch (shape.kind) {
    case 'Object': {
      const type = typeOf(kind);
      const head = listHead(`${kind.kind}List`, apiVersion, metadata);
      return { head, item: ({ bytes }) => untyped(bytes, type), tail: ']}\n' };
    }
    case 'Table': {
      const table = new TableWriter(kind.columns, shape.version, include, Date.now());
      return { head: table.head(metadata), item: (item) => [table.row(item)], tail: ']}\n' };
    }
    case 'PartialObjectMetadataList': {
      const version = `meta.k8s.io/${shape.version}`;
      const head = listHead('PartialObjectMetadataList', version, metadata);
      return { head, item: (item) => [metadataOnly(item.object, version)], tail: ']}\n' };
    }
    case 'PartialObjectMetadata':
      throw notOneObject(kind);
  }
}

/** What each stored object begins with. Items of a list leave it out, as Go does for built-in kinds: the list says it. */
const typeOf = (kind: Kind): Buffer => Buffer.from(`{"kind":"${kind.kind}","apiVersion":"${apiVersionOf(kind)}",`);

const untyped = (bytes: Buffer, type: Buffer): readonly Buffer[] =>
  type.compare(bytes, 0, type.length) === 0 ? [OPEN, bytes.subarray(type.length)] : [bytes];

const listHead = (kind: string, apiVersion: string, metadata: object): string =>
  `{"kind":"${kind}","apiVersion":"${apiVersion}","metadata":${JSON.stringify(metadata)},"items":[`;
