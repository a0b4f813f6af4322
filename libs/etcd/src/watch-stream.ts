import { setTimeout as pause } from 'node:timers/promises';
import { type Client, type ClientDuplexStream, type StatusObject, status } from '@grpc/grpc-js';
import { type etcdserverpb as v3, watchMethods } from '@periplus/proto';
import { backoffMs } from './backoff.ts';
import { requireLeader } from './calls.ts';
import type { Connection } from './connection.ts';
import { EtcdError, etcdErrorOf } from './error.ts';
import { revisionOf } from './messages.ts';
import { ProgressRequests } from './progress-requests.ts';
import { Silence } from './silence.ts';
import type { WatchHandle, WatchOptions } from './types.ts';
import { Watch } from './watch.ts';

const RECONNECT = { baseMs: 50, maxMs: 5_000 };
/** The id in responses that are of no watch in particular. */
const NO_WATCH = -1;

type Stream = ClientDuplexStream<v3.WatchRequest.$Shape, v3.WatchResponse.$Shape>;

export interface WatchStreamDeps {
  connection: Connection;
  /** Whether the server at `url` answers progress requests in order. */
  answersProgressInOrder(url: string): Promise<boolean>;
}

/**
 * All watches of a client, over one gRPC stream. When the stream breaks, a new one takes over all of them, each from its
 * own resume point. The callbacks run within the arrival of a message, so gRPC's flow control holds etcd back from a
 * slow consumer.
 */
export class WatchStream {
  readonly #deps: WatchStreamDeps;
  readonly #watches = new Map<number, Watch>();
  readonly #progress: ProgressRequests;
  /** Watches that the present stream was asked for and has not yet answered, in order. */
  #asked: Watch[] = [];
  #stream: Stream | null = null;
  #running = false;
  #lastId = 0;

  constructor(deps: WatchStreamDeps) {
    this.#deps = deps;
    this.#progress = new ProgressRequests(() => [...this.#watches.values()].some((watch) => watch.wantsProgress));
  }

  watch(options: WatchOptions): WatchHandle {
    const watch = new Watch(++this.#lastId, options);
    this.#watches.set(watch.id, watch);
    if (this.#stream !== null) this.#ask(this.#stream, watch);
    else if (!this.#running) void this.#run();
    return {
      requestProgress: () => {
        watch.wantsProgress = true;
        this.#progress.ask();
      },
      cancel: () => this.#cancel(watch),
    };
  }

  close(): void {
    for (const watch of this.#watches.values()) watch.cancelled();
    this.#watches.clear();
    this.#drop();
  }

  #cancel(watch: Watch): void {
    watch.cancelled();
    if (!this.#watches.delete(watch.id)) return;
    if (this.#watches.size === 0) this.#drop();
    else this.#stream?.write({ cancelRequest: { watchId: watch.id } });
  }

  /** Keeps a stream open for as long as there are watches. */
  async #run(): Promise<void> {
    const { connection } = this.#deps;
    this.#running = true;
    for (let attempt = 0; this.#watches.size > 0 && !connection.closed.aborted; attempt++) {
      try {
        const client = await connection.ready(Number.POSITIVE_INFINITY);
        if (await this.#serve(client)) attempt = 0;
      } catch {
        // Closed: the loop's condition ends it.
      }
      if (this.#watches.size === 0) break;
      const delayMs = backoffMs(attempt, RECONNECT, Math.random());
      await pause(delayMs, undefined, { signal: connection.closed }).catch(() => {});
    }
    this.#running = false;
  }

  /** One stream from start to end. Resolves to whether it ever answered. */
  #serve(client: Client): Promise<boolean> {
    const { path, requestSerialize, responseDeserialize } = watchMethods.watch;
    const { connection, answersProgressInOrder } = this.#deps;
    const url = connection.url;
    const stream: Stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, requireLeader());
    const request = (): void => void stream.write({ progressRequest: {} });
    const silence = new Silence(request, () => stream.cancel());
    let answered = false;
    this.#stream = stream;
    this.#asked = [];
    for (const watch of this.#watches.values()) this.#ask(stream, watch);
    this.#progress.opened({ request, lookUpTrust: () => answersProgressInOrder(url) });
    return new Promise((resolve) => {
      stream.on('data', (response: v3.WatchResponse) => {
        if (stream !== this.#stream) return;
        answered = true;
        silence.broken();
        this.#receive(stream, response);
      });
      stream.on('error', () => {}); // the status says it all
      stream.on('status', (end: StatusObject) => {
        silence.stop();
        this.#ended(stream, end, client);
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
        startRevision: watch.next,
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
      watch?.take(events, response.fragment);
    } else if (!created) {
      this.#progressed(watchId, revisionOf(response.header));
    }
  }

  /** etcd answers in the order it was asked, and leaves out the id of a watch that it refuses. */
  #answered(watchId: number): Watch | undefined {
    const asked = this.#asked.shift();
    const id = watchId === NO_WATCH ? asked?.id : watchId;
    return id === undefined ? undefined : this.#watches.get(id);
  }

  #progressed(watchId: number, revision: number): void {
    if (watchId !== NO_WATCH) this.#watches.get(watchId)?.progressed(revision);
    else if (this.#progress.trusted) for (const watch of this.#watches.values()) watch.progressed(revision);
    else return; // A sign of life, no more.
    this.#progress.answered();
  }

  #over(stream: Stream, watch: Watch, { compactRevision, cancelReason }: v3.WatchResponse): void {
    const error = etcdErrorOf(cancelReason);
    if (compactRevision === 0 && error.reason === 'Unavailable') {
      stream.cancel(); // True only for a moment: all watches start over.
      return;
    }
    this.#watches.delete(watch.id);
    if (compactRevision !== 0) watch.compacted(compactRevision);
    else watch.failed(error);
    if (this.#watches.size === 0) this.#drop();
  }

  /** Nobody needs the stream any more. */
  #drop(): void {
    const stream = this.#stream;
    this.#stream = null;
    this.#progress.closed();
    stream?.cancel();
  }

  #ended(stream: Stream, end: StatusObject, client: Client): void {
    if (stream !== this.#stream) return;
    this.#stream = null;
    this.#progress.closed();
    this.#deps.connection.suspect(client);
    for (const watch of this.#watches.values()) watch.interrupted();
    const permanent = permanentFailure(end);
    if (permanent === null) return;
    const watches = [...this.#watches.values()];
    this.#watches.clear();
    for (const watch of watches) watch.failed(permanent);
  }
}

/** What no other connection would make better. */
function permanentFailure({ code, details }: StatusObject): EtcdError | null {
  if (code === status.UNIMPLEMENTED) return new EtcdError('InvalidArgument', 'refused', details);
  const failure = etcdErrorOf(details, code);
  return failure.reason === 'PermissionDenied' || failure.reason === 'Unauthenticated' ? failure : null;
}
