import type { ServerResponse } from 'node:http';
import type { StatusError } from '@periplus/apimachinery';
import type { Watch, WatchChunk, WatchSink } from '@periplus/operations';
import { type BodyFormat, PROTOBUF_TYPE } from './media-types.ts';
import { encodeEvent, encodeObject } from './protobuf/encode.ts';
import { apiHeaders, type Exchange } from './respond.ts';

/** How long a client has to take the end of its watch. */
const END_MS_MAX = 10_000;

const transferChunks = new WeakMap<WatchChunk, Buffer>();

/** The bytes as a chunk of the chunked transfer coding, made once for all the connections that they go out on. */
function transferChunkOf(chunk: WatchChunk): Buffer {
  let made = transferChunks.get(chunk);
  if (!made) {
    const { bytes } = chunk;
    made = Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
    transferChunks.set(chunk, made);
  }
  return made;
}

/** An error as the last event of a watch. */
const errorEvent = (error: StatusError, format: BodyFormat): Buffer | string =>
  format === 'protobuf'
    ? encodeEvent('ERROR', encodeObject(error.toStatus()))
    : `{"type":"ERROR","object":${JSON.stringify(error.toStatus())}}\n`;

/** Streams the events of a watch: lines of JSON, or protobuf behind its length. https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes */
export class WatchResponse implements WatchSink {
  private readonly response: ServerResponse;
  private readonly format: BodyFormat;
  private watch: Watch | null = null;
  private closed = false;
  private readonly onDrain = (): void => this.watch?.drained();

  constructor(exchange: Exchange, format: BodyFormat) {
    this.response = exchange.response;
    this.format = format;
    apiHeaders(exchange, format === 'protobuf' ? `${PROTOBUF_TYPE};stream=watch` : 'application/json');
    const { socket } = this.response;
    // What is written to the socket makes only the socket drain.
    this.response.on('drain', this.onDrain);
    socket?.on('drain', this.onDrain);
    this.response.on('close', () => {
      this.closed = true;
      socket?.off('drain', this.onDrain);
      this.watch?.stop();
    });
  }

  /** The watch stands: the client may know. */
  begin(watch: Watch): void {
    this.watch = watch;
    if (this.closed) watch.stop();
    else this.response.flushHeaders();
  }

  write(chunk: WatchChunk): void {
    const { response } = this;
    const { socket } = response;
    // Past Node's own framing, which copies all bytes for each connection: a quarter of what a busy watch costs. And
    // not held back to the end of the turn: the fan-out sets its pace by what writing costs.
    if (socket && response.chunkedEncoding && response.headersSent) socket.write(transferChunkOf(chunk));
    else response.write(chunk.bytes);
  }

  backlogBytes(): number {
    return this.response.writableLength;
  }

  end(error: StatusError | null): void {
    const { response } = this;
    if (error) response.end(errorEvent(error, this.format));
    else response.end();
    // What a client does not take would stay in memory.
    if (!this.closed) setTimeout(() => this.closed || response.destroy(), END_MS_MAX).unref();
  }
}
