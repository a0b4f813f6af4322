import type { ServerResponse } from 'node:http';
import type { StatusError } from '@periplus/apimachinery';
import type { Watch, WatchChunk, WatchSink } from '@periplus/operations';
import { apiHeaders, type Exchange } from './respond.ts';

/** Streams the events of a watch as lines of JSON. https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes */
export class WatchResponse implements WatchSink {
  private readonly response: ServerResponse;
  private watch: Watch | null = null;
  private closed = false;

  constructor(exchange: Exchange) {
    this.response = exchange.response;
    apiHeaders(exchange, 'application/json');
    this.response.on('close', () => {
      this.closed = true;
      this.watch?.stop();
    });
    this.response.on('drain', () => this.watch?.drained());
  }

  /** The watch stands: the client may know. */
  begin(watch: Watch): void {
    this.watch = watch;
    if (this.closed) watch.stop();
    else this.response.flushHeaders();
  }

  write(chunk: WatchChunk): void {
    const { response } = this;
    response.write(chunk.bytes);
    // Node would hold it back to the end of the turn. Now is better: the fan-out sets its pace by what writing costs.
    response.socket?.uncork();
  }

  backlogBytes(): number {
    return this.response.writableLength;
  }

  end(error: StatusError | null): void {
    if (error) this.response.end(`{"type":"ERROR","object":${JSON.stringify(error.toStatus())}}\n`);
    else this.response.end();
  }
}
