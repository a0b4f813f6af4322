import { StatusError } from '@periplus/apimachinery';
import { handOf } from './shuffle-sharding.ts';

/** How a level takes requests beyond its seats; null refuses them. */
export interface Queuing {
  readonly queues: number;
  readonly handSize: number;
  readonly queueLengthLimit: number;
}

/** Why a request was refused, as the metrics of kube-apiserver name it. */
export type Refusal = 'concurrency-limit' | 'queue-full' | 'time-out' | 'cancelled';

/** A request waits for its turn at most so long: a quarter of the time that it has in all. As kube-apiserver. */
export const WAIT_MS_MAX = 15_000;
/** What serving a request is thought to take before the level has served one; then what it took of late. */
const FIRST_ESTIMATE_MS = 10;
const ESTIMATE_MEMORY = 0.9;

/** Requests that wait, and what their flows have had. */
interface FairQueue {
  readonly waiting: Waiting[];
  /** Seats times milliseconds that were given to it, counting those under way by estimate. */
  served: number;
  executing: number;
}

/** A request that is being served. */
export class Seat {
  private readonly level: PriorityLevel;
  readonly width: number;
  /** null when it had not to wait. */
  readonly queue: FairQueue | null;
  readonly startMs: number;
  /** What `queue` was charged in advance. */
  readonly charged: number;
  private taken = true;

  constructor(level: PriorityLevel, width: number, queue: FairQueue | null, startMs: number, charged: number) {
    this.level = level;
    this.width = width;
    this.queue = queue;
    this.startMs = startMs;
    this.charged = charged;
  }

  /** Once; more is nothing. */
  release(): void {
    if (!this.taken) return;
    this.taken = false;
    this.level.released(this);
  }
}

/** A request that waits for its turn. */
export class Waiting {
  /** Rejects with TooManyRequests. */
  readonly seat: Promise<Seat>;
  readonly width: number;
  readonly queue: FairQueue;
  private readonly level: PriorityLevel;
  private readonly late: NodeJS.Timeout;
  private resolve!: (seat: Seat) => void;
  private reject!: (error: StatusError) => void;

  constructor(level: PriorityLevel, width: number, queue: FairQueue) {
    this.level = level;
    this.width = width;
    this.queue = queue;
    this.seat = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.late = setTimeout(() => this.refuse('time-out'), WAIT_MS_MAX).unref();
  }

  /** Its client is gone. */
  withdraw(): void {
    this.refuse('cancelled');
  }

  serve(seat: Seat): void {
    clearTimeout(this.late);
    this.resolve(seat);
  }

  private refuse(why: Refusal): void {
    clearTimeout(this.late);
    if (this.level.left(this)) this.reject(new TooManyRequests(why));
  }
}

/** A refusal that knows its reason. */
export class TooManyRequests extends StatusError {
  readonly why: Refusal;

  constructor(why: Refusal) {
    super('TooManyRequests', 'the server has received too many requests and has asked us to try again later', {
      retryAfterSeconds: 1,
    });
    this.why = why;
  }
}

/**
 * Requests of one priority: so many seats, and queues for those beyond. Levels share nothing, so none can starve another.
 * Within a level the queue that has had least is served next, so that no flow can starve another either.
 */
export class PriorityLevel {
  readonly name: string;
  uid = '';
  /** Seats that it may have taken; changes as levels lend and borrow. */
  limit = 0;
  queuing: Queuing | null = null;
  /** Seats that are taken. */
  executing = 0;
  executingRequests = 0;
  waiting = 0;
  /** The most seats that were wanted at once since somebody last set it back. */
  highWater = 0;
  private waitingSeats = 0;
  private estimateMs = FIRST_ESTIMATE_MS;
  /** Only those that somebody waits in, is served from, or that have had more than the others. */
  private readonly queues = new Map<number, FairQueue>();
  private readonly now: () => number;

  /** `now` is in milliseconds. */
  constructor(name: string, now: () => number) {
    this.name = name;
    this.now = now;
  }

  /** A seat at once; null when there is none, or others wait for one. */
  seat(asked: number): Seat | null {
    const width = this.widthOf(asked);
    if (this.waiting > 0 || this.executing + width > this.limit) return null;
    this.take(width);
    return new Seat(this, width, null, 0, 0);
  }

  /** A place in one of the queues of `flow`. Throws TooManyRequests. */
  queue(flow: string, asked: number): Waiting {
    if (this.queuing === null) throw new TooManyRequests('concurrency-limit');
    const queue = this.queueOf(flow, this.queuing);
    if (queue.waiting.length >= this.queuing.queueLengthLimit) throw new TooManyRequests('queue-full');
    const width = this.widthOf(asked);
    const waiting = new Waiting(this, width, queue);
    queue.waiting.push(waiting);
    this.waiting++;
    this.waitingSeats += width;
    this.noteDemand();
    // It may be the next one already, and fit where the one that waits longest does not.
    this.dispatch();
    return waiting;
  }

  released({ width, queue, startMs, charged }: Seat): void {
    this.executing -= width;
    this.executingRequests--;
    if (queue) {
      const tookMs = this.now() - startMs;
      queue.executing--;
      queue.served += width * tookMs - charged;
      this.estimateMs = ESTIMATE_MEMORY * this.estimateMs + (1 - ESTIMATE_MEMORY) * tookMs;
    }
    if (this.waiting > 0) this.dispatch();
    this.forget();
  }

  /** Whether it was still waiting. */
  left(waiting: Waiting): boolean {
    const { queue } = waiting;
    const at = queue.waiting.indexOf(waiting);
    if (at < 0) return false;
    queue.waiting.splice(at, 1);
    this.noLongerWaits(waiting);
    return true;
  }

  /** Serves those who wait, as far as there are seats: to be called when `limit` has grown. */
  dispatch(): void {
    while (this.waiting > 0) {
      const queue = this.next();
      const waiting = queue.waiting[0]!;
      // A request that is wider than the level has become is served alone.
      if (this.limit === 0 || (this.executing > 0 && this.executing + waiting.width > this.limit)) return;
      queue.waiting.shift();
      this.noLongerWaits(waiting);
      const charged = waiting.width * this.estimateMs;
      queue.served += charged;
      queue.executing++;
      this.take(waiting.width);
      waiting.serve(new Seat(this, waiting.width, queue, this.now(), charged));
    }
  }

  private widthOf(asked: number): number {
    return Math.max(1, Math.min(asked, this.limit));
  }

  private take(width: number): void {
    this.executing += width;
    this.executingRequests++;
    this.noteDemand();
  }

  private noLongerWaits({ width }: Waiting): void {
    this.waiting--;
    this.waitingSeats -= width;
  }

  private noteDemand(): void {
    const demand = this.executing + this.waitingSeats;
    if (demand > this.highWater) this.highWater = demand;
  }

  /** Of the flow's queues the one that the fewest wait in. */
  private queueOf(flow: string, { queues, handSize }: Queuing): FairQueue {
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (const index of handOf(flow, queues, handSize)) {
      const queue = this.queues.get(index);
      const load = queue ? queue.waiting.length + queue.executing : 0;
      if (load >= least) continue;
      best = index;
      least = load;
    }
    const known = this.queues.get(best);
    // Who was away has saved up nothing.
    const floor = this.leastServed();
    if (known) {
      if (known.waiting.length === 0) known.served = Math.max(known.served, floor);
      return known;
    }
    const queue: FairQueue = { waiting: [], served: floor, executing: 0 };
    this.queues.set(best, queue);
    return queue;
  }

  /** Drops queues that nobody uses, and that owe nothing to the others. */
  private forget(): void {
    if (this.queues.size === 0) return;
    const floor = this.waiting === 0 && this.executing === 0 ? Number.POSITIVE_INFINITY : this.leastServed();
    for (const [index, { waiting, executing, served }] of this.queues) {
      if (waiting.length === 0 && executing === 0 && served <= floor) this.queues.delete(index);
    }
  }

  private leastServed(): number {
    let least = Number.POSITIVE_INFINITY;
    for (const queue of this.queues.values()) {
      if (queue.waiting.length + queue.executing > 0 && queue.served < least) least = queue.served;
    }
    return least === Number.POSITIVE_INFINITY ? 0 : least;
  }

  private next(): FairQueue {
    let best: FairQueue | undefined;
    for (const queue of this.queues.values()) {
      if (queue.waiting.length > 0 && (!best || queue.served < best.served)) best = queue;
    }
    return best!;
  }
}
