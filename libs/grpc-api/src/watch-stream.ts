import type { ServerWritableStream } from '@grpc/grpc-js';
import type { StatusError } from '@periplus/apimachinery';
import type { Watch, WatchChunk, WatchEncoding, WatchSink } from '@periplus/operations';
import { apiProto } from '@periplus/proto';
import { callError } from './call-error.ts';

const { WatchEvent } = apiProto.api.v1;

/** Events as serialized WatchEvent messages, shared by all streams that watch the same. */
export const WATCH_ENCODING: WatchEncoding = {
  name: 'grpc',
  encode: ({ type, bytes, resourceVersion }) => {
    const message = WatchEvent.encode({ type, object: { json: bytes, resourceVersion } }).finish();
    return Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  },
};

/** Streams the events of a watch, a message each. Messages come serialized already. */
export class WatchStream implements WatchSink {
  private readonly call: ServerWritableStream<unknown, Buffer>;
  private watch: Watch | null = null;
  private backlog = 0;
  private gone = false;

  constructor(call: ServerWritableStream<unknown, Buffer>) {
    this.call = call;
    const stop = () => {
      this.gone = true;
      this.watch?.stop();
    };
    call.on('cancelled', stop);
    call.on('error', stop);
  }

  begin(watch: Watch): void {
    this.watch = watch;
    if (this.gone) watch.stop();
  }

  write({ frames }: WatchChunk): void {
    for (const frame of frames) {
      this.backlog += frame.length;
      this.call.write(frame, () => this.taken(frame.length));
    }
  }

  backlogBytes(): number {
    return this.backlog;
  }

  end(error: StatusError | null): void {
    if (this.gone) return;
    // How grpc-js is told of a status: it sends what is written before.
    if (error) this.call.emit('error', callError(error));
    else this.call.end();
  }

  private taken(bytes: number): void {
    this.backlog -= bytes;
    if (this.backlog === 0) this.watch?.drained();
  }
}
