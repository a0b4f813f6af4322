import { setTimeout as pause } from 'node:timers/promises';
import { type Client, type ClientDuplexStream, type ServiceError, status } from '@grpc/grpc-js';
import { type etcdserverpb as v3, watchMethods } from '@periplus/proto';
import { backoffMs } from './backoff.ts';
import { requireLeader } from './calls.ts';
import type { Connection } from './connection.ts';
import { EtcdError, etcdErrorOf, fromServiceError } from './error.ts';
import { fromEvent, revisionOf } from './messages.ts';
import { RevisionAssembler } from './revision-assembler.ts';
import type { WatchHandle, WatchOptions } from './types.ts';

const RECONNECT = { baseMs: 50, maxMs: 5_000 };
/** A stream without a message for so long is asked for one; after as long again it is given up. */
const SILENCE_MS_MAX = 15_000;
/** The id in responses that are of no watch in particular. */
const NO_WATCH = -1;

type Stream = ClientDuplexStream<v3.WatchRequest.$Shape, v3.WatchResponse.$Shape>;

interface Watch {
  readonly id: number;
  readonly options: WatchOptions;
  readonly assembler: RevisionAssembler;
}

/**
 * All watches of a client, over one gRPC stream. When the stream breaks, a new one takes over all of them, each from its own resume point.
 * The callbacks run within the arrival of a message, so gRPC's flow control holds etcd back from a slow consumer.
 */
export class WatchStream {
  readonly #connection: Connection;
  readonly #watches = new Map<number, Watch>();
  /** Watches that the present stream was asked for and has not yet answered, in order. */
  #asked: Watch[] = [];
  #stream: Stream | null = null;
  #running = false;
  #lastId = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  watch(options: WatchOptions): WatchHandle {
    const watch = { id: ++this.#lastId, options, assembler: new RevisionAssembler(options.startRevision) };
    this.#watches.set(watch.id, watch);
    if (this.#stream !== null) this.#ask(this.#stream, watch);
    else if (!this.#running) void this.#run();
    return {
      requestProgress: () => this.#stream?.write({ progressRequest: {} }),
      cancel: () => this.#cancel(watch),
    };
  }

  close(): void {
    this.#watches.clear();
    this.#stream?.cancel();
  }

  #cancel(watch: Watch): void {
    if (!this.#watches.delete(watch.id)) return;
    if (this.#watches.size === 0) this.#stream?.cancel();
    else this.#stream?.write({ cancelRequest: { watchId: watch.id } });
  }

  /** Keeps a stream open for as long as there are watches. */
  async #run(): Promise<void> {
    this.#running = true;
    for (let attempt = 0; this.#watches.size > 0 && !this.#connection.closed.aborted; attempt++) {
      try {
        const client = await this.#connection.ready(Number.POSITIVE_INFINITY);
        if (this.#watches.size === 0) break;
        const answered = await this.#serve(client);
        if (answered) attempt = 0;
      } catch {
        // Closed: the loop's condition ends it.
      }
      const delayMs = backoffMs(attempt, RECONNECT, Math.random());
      await pause(delayMs, undefined, { signal: this.#connection.closed }).catch(() => {});
    }
    this.#running = false;
  }

  /** One stream from start to end. Resolves to whether it ever answered. */
  #serve(client: Client): Promise<boolean> {
    const { path, requestSerialize, responseDeserialize } = watchMethods.watch;
    const stream: Stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, requireLeader());
    this.#stream = stream;
    this.#asked = [];
    for (const watch of this.#watches.values()) this.#ask(stream, watch);
    let answered = false;
    const silence = new Silence(stream);
    return new Promise((resolve) => {
      stream.on('data', (response: v3.WatchResponse) => {
        if (stream !== this.#stream) return;
        answered = true;
        silence.broken();
        this.#receive(stream, response);
      });
      stream.on('error', (error: ServiceError) => this.#ended(stream, error, client));
      stream.on('close', () => {
        silence.stop();
        this.#ended(stream, null, client);
        resolve(answered);
      });
    });
  }

  #ask(stream: Stream, watch: Watch): void {
    const { key, rangeEnd, prevKv } = watch.options;
    this.#asked.push(watch);
    stream.write({
      createRequest: {
        key,
        rangeEnd,
        prevKv,
        startRevision: watch.assembler.next,
        watchId: watch.id,
        progressNotify: true,
        fragment: true,
      },
    });
  }

  #receive(stream: Stream, response: v3.WatchResponse): void {
    const { watchId, created, canceled, compactRevision, events } = response;
    const watch = created ? this.#answered(watchId) : this.#watches.get(watchId);
    if (canceled || compactRevision !== 0) {
      if (watch !== undefined) this.#over(stream, watch, response);
    } else if (events.length > 0) {
      watch?.assembler.take(events.map(fromEvent), response.fragment, watch.options.onRevision);
    } else if (!created) {
      const revision = revisionOf(response.header);
      if (watch !== undefined) progressed(watch, revision);
      else if (watchId === NO_WATCH) for (const each of this.#watches.values()) progressed(each, revision);
    }
  }

  /** etcd answers in the order it was asked, and leaves out the id of a watch that it refuses. */
  #answered(watchId: number): Watch | undefined {
    const asked = this.#asked.shift();
    const id = watchId === NO_WATCH ? asked?.id : watchId;
    return id === undefined ? undefined : this.#watches.get(id);
  }

  #over(stream: Stream, watch: Watch, { compactRevision, cancelReason }: v3.WatchResponse): void {
    const error = etcdErrorOf(cancelReason);
    if (compactRevision === 0 && error.reason === 'Unavailable') {
      stream.cancel(); // True only for a moment: all watches start over.
      return;
    }
    this.#watches.delete(watch.id);
    if (compactRevision !== 0) watch.options.onCompacted(compactRevision);
    else watch.options.onFailed(error);
    if (this.#watches.size === 0) stream.cancel();
  }

  #ended(stream: Stream, error: ServiceError | null, client: Client): void {
    if (stream !== this.#stream) return;
    this.#stream = null;
    for (const watch of this.#watches.values()) watch.assembler.reset();
    if (this.#watches.size === 0) return;
    this.#connection.suspect(client);
    const permanent = error === null ? null : permanentFailure(error);
    if (permanent === null) return;
    const watches = [...this.#watches.values()];
    this.#watches.clear();
    for (const watch of watches) watch.options.onFailed(permanent);
  }
}

function progressed(watch: Watch, revision: number): void {
  if (watch.assembler.advance(revision)) watch.options.onProgress?.(revision);
}

/** What no other connection would make better. */
function permanentFailure(error: ServiceError): EtcdError | null {
  if (error.code === status.UNIMPLEMENTED) return new EtcdError('InvalidArgument', 'refused', error.details);
  const failure = fromServiceError(error);
  return failure.reason === 'PermissionDenied' || failure.reason === 'Unauthenticated' ? failure : null;
}

/** Notices that a stream has gone quiet although its connection still answers. */
class Silence {
  readonly #timer: NodeJS.Timeout;
  #asked = false;

  constructor(stream: Stream) {
    this.#timer = setTimeout(() => {
      // A busy process looks at its timers first: what has arrived meanwhile is read before the verdict.
      setImmediate(() => {
        if (this.#asked) stream.cancel();
        else stream.write({ progressRequest: {} });
        this.#asked = true;
        this.#timer.refresh();
      });
    }, SILENCE_MS_MAX);
  }

  broken(): void {
    this.#asked = false;
    this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
