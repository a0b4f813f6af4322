import { setImmediate } from 'node:timers/promises';
import type { Kind } from '@periplus/api';
import type { Item, ListResult } from '@periplus/operations';
import { CoalescingWriter } from './coalesce.ts';
import { bodyStream } from './compression.ts';
import { listMetadata, notOneObject } from './list-metadata.ts';
import { PROTOBUF_TYPE, type Shape } from './media-types.ts';
import { messageName } from './protobuf/descriptors.ts';
import { encodeMembers, itemHead, listHead } from './protobuf/encode.ts';
import { apiHeaders, type Exchange } from './respond.ts';

/** Encoded without letting other requests have their turn. */
const AT_A_TIME_BYTES = 256 * 1024;

/**
 * Sends a list. Its length stands at its start, so all items are encoded before the first byte goes out: the encoded
 * list is held until the client has taken it.
 */
export async function sendProtobufList(exchange: Exchange, kind: Kind, list: ListResult, shape: Shape): Promise<void> {
  const { request, response } = exchange;
  if (shape.kind === 'PartialObjectMetadata') throw notOneObject(kind);
  const type = typeOf(kind, shape);
  const pieces = await encodedItems(list.items, messageName(type.apiVersion, type.kind));
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
  const head = listHead(type.apiVersion, `${type.kind}List`, listMetadata(list), bytes);
  const writer = new CoalescingWriter(() => {
    apiHeaders(exchange, PROTOBUF_TYPE);
    return bodyStream(request, response, head.length + bytes);
  });
  writer.add(head);
  for (const piece of pieces) {
    writer.add(piece);
    if (!writer.full) continue;
    await writer.room();
    if (response.destroyed) break;
  }
  writer.end();
}

const typeOf = ({ group, version, kind }: Kind, shape: Shape): { apiVersion: string; kind: string } =>
  shape.kind === 'Object'
    ? { apiVersion: group ? `${group}/${version}` : version, kind }
    : { apiVersion: `meta.k8s.io/${shape.version}`, kind: 'PartialObjectMetadata' };

/** Each item behind its head. */
async function encodedItems(items: readonly Item[], message: string): Promise<Buffer[]> {
  const pieces: Buffer[] = [];
  let sincePause = 0;
  for (const { object } of items) {
    const item = encodeMembers(message, object);
    pieces.push(itemHead(item.length), item);
    sincePause += item.length;
    if (sincePause < AT_A_TIME_BYTES) continue;
    sincePause = 0;
    await setImmediate();
  }
  return pieces;
}
