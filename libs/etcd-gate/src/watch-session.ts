import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { etcdserverpb as v3 } from '@periplus/proto';
import type { GateAccess } from './access.ts';
import type { FeedHub } from './feed-hub.ts';
import type { GateIdentity } from './identity.ts';
import { Outbox } from './outbox.ts';
import type { Subscriber, Subscription } from './range-feed.ts';
import { type GateStatus, PERMISSION_DENIED } from './status.ts';
import { encodeResponse } from './wire.ts';

const WATCHES_MAX = 64;
/** A progress request that etcd has not answered by then is answered with what was delivered. */
const PROGRESS_MS_MAX = 500;
/** The id in responses that are of no watch in particular. */
const NO_WATCH = -1;

export type WatchCall = ServerDuplexStream<v3.WatchRequest, Buffer>;

export interface SessionDeps {
  access: GateAccess;
  feeds: FeedHub;
  /** The caller asked for what it may not have. */
  refused(what: string): void;
  /** The stream is over. */
  ended(): void;
}

interface SessionWatch {
  subscription: Subscription | null;
  /** Wants to be told of progress when there is some. */
  notify: boolean;
  /** Has asked for it. */
  asked: boolean;
}

/** One caller's watch stream, served as etcd would. */
export class WatchSession {
  readonly #call: WatchCall;
  readonly #identity: GateIdentity;
  readonly #deps: SessionDeps;
  readonly #watches = new Map<number, SessionWatch>();
  readonly #outbox: Outbox;
  #progressTimer: NodeJS.Timeout | null = null;
  #paused = false;
  #over = false;

  constructor(call: WatchCall, identity: GateIdentity, deps: SessionDeps) {
    this.#call = call;
    this.#identity = identity;
    this.#deps = deps;
    this.#outbox = new Outbox({
      write: (message, written) => call.write(message, written),
      full: () => this.#pause(),
      drained: () => this.#resume(),
    });
    call.on('data', (request: v3.WatchRequest) => this.#receive(request));
    call.on('end', () => this.#leave());
    call.on('cancelled', () => this.#leave());
    call.on('error', () => this.#leave());
  }

  /** Ends the stream; what waits to be sent is dropped. */
  end({ code, details }: GateStatus): void {
    // grpc-js takes the status from here; our own listener leaves.
    if (!this.#over) this.#call.emit('error', { code, details });
  }

  #leave(): void {
    if (this.#over) return;
    this.#over = true;
    this.#outbox.clear();
    if (this.#progressTimer !== null) clearTimeout(this.#progressTimer);
    for (const { subscription } of this.#watches.values()) subscription?.leave();
    this.#watches.clear();
    this.#call.end();
    this.#deps.ended();
  }

  /** A slow reader is left alone with what it has, and continues from there: it costs nobody else anything. */
  #pause(): void {
    this.#paused = true;
    this.#call.pause(); // its requests make answers too
    for (const { subscription } of this.#watches.values()) subscription?.pause();
  }

  #resume(): void {
    this.#paused = false;
    this.#call.resume();
    for (const { subscription } of this.#watches.values()) if (!this.#paused) subscription?.resume();
  }

  #receive({ createRequest, cancelRequest, progressRequest }: v3.WatchRequest): void {
    if (this.#over) return;
    if (createRequest) this.#create(createRequest as v3.WatchCreateRequest);
    else if (cancelRequest) this.#cancel((cancelRequest as v3.WatchCancelRequest).watchId);
    else if (progressRequest) this.#askProgress();
  }

  #create(request: v3.WatchCreateRequest): void {
    const { key, rangeEnd, startRevision, progressNotify } = request;
    const watchId = request.watchId > 0 ? request.watchId : this.#freeId();
    const refusal = this.#refusal(watchId, request);
    const header = { revision: Math.max(0, startRevision - 1) };
    this.#send({ header, watchId, created: true, canceled: refusal !== undefined, cancelReason: refusal });
    if (refusal !== undefined) {
      this.#deps.refused(`watch of ${JSON.stringify([key, rangeEnd])}: ${refusal}`);
      return;
    }
    const watch: SessionWatch = { subscription: null, notify: progressNotify, asked: false };
    this.#watches.set(watchId, watch);
    watch.subscription = this.#deps.feeds.join(key, rangeEnd, this.#subscriber(watchId, watch), startRevision);
    if (!this.#paused) watch.subscription.resume();
  }

  /** Why a watch is not created, in etcd's words where it has some. */
  #refusal(watchId: number, request: v3.WatchCreateRequest): string | undefined {
    const { key, rangeEnd, startRevision, prevKv, filters } = request;
    if (!this.#deps.access.mayRead(this.#identity, key, rangeEnd)) return PERMISSION_DENIED.details;
    if (prevKv || filters.length > 0) return `${PERMISSION_DENIED.details}: no previous values and no filters here`;
    if (startRevision <= 0) return 'etcd gate: a watch needs a start revision';
    if (this.#watches.has(watchId)) return 'mvcc: watcher duplicate ID';
    if (this.#watches.size >= WATCHES_MAX) return `etcd gate: more than ${WATCHES_MAX} watches on one stream`;
    return undefined;
  }

  #subscriber(watchId: number, watch: SessionWatch): Subscriber {
    return {
      deliver: ({ revision, events }) => this.#outbox.send(encodeResponse({ header: { revision }, watchId }, events)),
      progressed: () => {
        if (watch.notify || watch.asked) this.#tellProgress(watchId, watch);
      },
      compacted: (compactRevision) => {
        this.#watches.delete(watchId);
        this.#send({ header: { revision: compactRevision }, watchId, canceled: true, compactRevision });
      },
      failed: () => this.end({ code: status.UNAVAILABLE, details: 'etcd gate: etcd refuses the gate' }),
    };
  }

  #freeId(): number {
    let id = 1;
    while (this.#watches.has(id)) id++;
    return id;
  }

  #cancel(watchId: number): void {
    const watch = this.#watches.get(watchId);
    if (watch === undefined) return;
    this.#watches.delete(watchId);
    watch.subscription?.leave();
    this.#send({ header: { revision: sentOf(watch) }, watchId, canceled: true });
  }

  /** Each watch is answered by itself: what has been sent to one says nothing of another. */
  #askProgress(): void {
    for (const watch of this.#watches.values()) {
      watch.asked = true;
      watch.subscription?.requestProgress();
    }
    this.#progressTimer ??= setTimeout(() => {
      this.#progressTimer = null;
      for (const [watchId, watch] of this.#watches) if (watch.asked) this.#tellProgress(watchId, watch);
      if (this.#watches.size === 0) this.#send({ header: { revision: 0 }, watchId: NO_WATCH }); // A sign of life.
    }, PROGRESS_MS_MAX);
  }

  #tellProgress(watchId: number, watch: SessionWatch): void {
    watch.asked = false;
    this.#send({ header: { revision: sentOf(watch) }, watchId });
  }

  #send(response: v3.WatchResponse.$Shape): void {
    this.#outbox.send(encodeResponse(response));
  }
}

/** Everything up to here has been delivered. */
const sentOf = ({ subscription }: SessionWatch): number => (subscription?.next ?? 1) - 1;
