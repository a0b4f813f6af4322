import { randomUUID } from 'node:crypto';
import { internalError, requestEntityTooLarge, StatusError, WRITES_PER_REVISION_MAX } from '@periplus/apimachinery';
import { type EtcdClient, EtcdError, type Operation } from '@periplus/etcd';
import { Batcher } from './batcher.ts';
import type { Cipher } from './cipher.ts';
import { type Clock, systemClock } from './clock.ts';
import { Keys } from './keys.ts';
import { findOutcome } from './outcome.ts';
import type { Pending } from './pending.ts';
import { PendingTransaction } from './pending-transaction.ts';
import { PendingWrite } from './pending-write.ts';
import { TombstoneLease } from './tombstone-lease.ts';
import type { Committed, Store, Transaction, Write } from './types.ts';

/**
 * Transactions under way at once: while etcd works on one, the next is encoded. Measured on two cores, with 64 and 256
 * callers: two commit a tenth more than one; three and four commit less, since their portions are smaller. What waits
 * is shared among those that are free, in portions that are worth a transaction.
 */
const IN_FLIGHT_MAX = 2;
const PORTION_MIN = 16;
/** A write that has not reached etcd after this time is given up, with certainty that it did not happen. */
const GIVE_UP_MS = 10_000;
const RETRY_MS_MIN = 20;
const RETRY_MS_MAX = 1_000;
/** How long `close` waits for what is under way. */
const CLOSE_MS_MAX = 5_000;
const NOTHING = Buffer.alloc(0);

export interface StoreDeps {
  etcd: Pick<EtcdClient, 'range' | 'put' | 'txn' | 'grant'>;
  /** Of all keys: `/periplus`. */
  prefix: string;
  /** null refuses to write confidential kinds. */
  cipher: Cipher | null;
  clock?: Clock;
  log?: { warn(fields: Record<string, unknown>, message: string): void };
}

/** What has to be known of a transaction to find out what became of it. */
interface Sent {
  epoch: string;
  /** A revision before the transaction. */
  after: number;
}

/** Since the store was opened; for metrics. */
export interface StoreStats {
  transactions: number;
  /** Acknowledged. */
  writes: number;
  /** Transactions whose outcome had to be looked for. */
  unknownOutcomes: number;
  /** Transactions that certainly did nothing and were sent again. */
  retries: number;
}

/** Opens the writing half of the log. Connects when the first write comes. */
export const openStore = (deps: StoreDeps): GroupCommit => new GroupCommit(deps);

/**
 * Group commit: all writes that queued while the previous transaction was under way go to etcd as one, each as a
 * nested transaction with its own compares.
 *
 * When a transaction fails in a way that leaves open whether it happened (a deadline, a lost connection), it may
 * even happen later: the request may still lie in a queue somewhere. So each transaction also compares that the
 * fence of its epoch does not exist. An open outcome ends the epoch: its fence is put, and once etcd has
 * acknowledged that, the transaction has happened before the fence or never will. Only then is the log of each
 * object, from the fence back to when the transaction was sent, searched for the write's request id. A write that is
 * found is acknowledged with the version it was found at; one that is not goes back to the queue. So no write is
 * applied twice, and none is reported failed that happened.
 *
 * A write is given up only while it is certain that it did not happen: after GIVE_UP_MS in the queue. While its
 * outcome is open it waits for etcd for as long as that takes (and counts against nobody's limit but the one
 * transaction's that is held up); whoever serves a client has its own time limit. The exceptions, where a write that
 * may have happened is reported with a Timeout that says so, are `close`, a log that was compacted before it could be
 * searched, and an etcd without space, which takes no fence until somebody makes room.
 */
export class GroupCommit implements Store {
  readonly stats: StoreStats = { transactions: 0, writes: 0, unknownOutcomes: 0, retries: 0 };
  readonly #deps: StoreDeps;
  readonly #clock: Clock;
  readonly #keys: Keys;
  readonly #lease: TombstoneLease;
  readonly #batcher = new Batcher<Pending>();
  readonly #closing = new AbortController();
  #epoch = randomUUID();
  /** The newest revision that etcd has answered with: what is sent from now on happens behind it. */
  #lastRevision = 0;
  #inFlight = 0;
  #scheduled = false;
  #closed = false;
  #drained: (() => void) | null = null;

  constructor(deps: StoreDeps) {
    this.#deps = deps;
    this.#clock = deps.clock ?? systemClock;
    this.#keys = new Keys(deps.prefix);
    this.#lease = new TombstoneLease(deps.etcd, this.#clock);
  }

  /** Writes that wait and what they take; the limits beyond which `commit` rejects are the batcher's. */
  get queued(): { writes: number; bytes: number } {
    return { writes: this.#batcher.size, bytes: this.#batcher.bytes };
  }

  commit(write: Write): Promise<Committed> {
    return new Promise((resolve, reject) => {
      this.#accept(this.#encode(write, this.#clock.nowMs(), { resolve, reject }));
    });
  }

  async commitAll({ writes, standing }: Transaction): Promise<Committed[]> {
    if (writes.length > WRITES_PER_REVISION_MAX) throw tooManyWrites(writes.length);
    const sinceMs = this.#clock.nowMs();
    const outcomes = writes.map(() => Promise.withResolvers<Committed>());
    const members = writes.map((write, at) => this.#encode(write, sinceMs, outcomes[at]!));
    const unwritten = standing.map(({ key, revision }) => ({ key: this.#keys.registry(key), revision }));
    this.#accept(new PendingTransaction(members, unwritten));
    return Promise.all(outcomes.map(({ promise }) => promise));
  }

  #encode(
    write: Write,
    sinceMs: number,
    { resolve, reject }: Pick<PromiseWithResolvers<Committed>, 'resolve' | 'reject'>,
  ): PendingWrite {
    const { cipher } = this.#deps;
    if (write.confidential.length > 0 && cipher === null && write.object !== null) {
      throw internalError('there is no key to encrypt confidential data with');
    }
    return new PendingWrite(write, { keys: this.#keys, cipher, sinceMs, resolve, reject });
  }

  #accept(pending: Pending): void {
    if (this.#closed) throw new StatusError('ServiceUnavailable', 'the server is shutting down');
    if (!this.#batcher.add(pending)) throw tooMany();
    this.#schedule();
  }

  async close(): Promise<void> {
    this.#closed = true;
    const drained = new Promise<void>((resolve) => {
      this.#drained = resolve;
      this.#checkDrained();
    });
    const drainedFirst = new AbortController();
    void this.#clock.pause(CLOSE_MS_MAX, drainedFirst.signal).then(() => {
      this.#closing.abort();
      this.#giveUpOld();
      this.#checkDrained();
    });
    await drained;
    drainedFirst.abort();
  }

  #checkDrained(): void {
    if (this.#inFlight === 0 && this.#batcher.size === 0) this.#drained?.();
  }

  /** At the end of the turn of the event loop, so that writes that arrive together go together. */
  #schedule(): void {
    if (this.#scheduled || this.#inFlight >= IN_FLIGHT_MAX) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#inFlight < IN_FLIGHT_MAX && this.#batcher.size > 0) {
      const portion = Math.ceil(this.#batcher.size / (IN_FLIGHT_MAX - this.#inFlight));
      this.#inFlight++;
      void this.#run(this.#batcher.take(Math.max(portion, PORTION_MIN))).finally(() => {
        this.#inFlight--;
        this.#pump();
        this.#checkDrained();
      });
    }
  }

  /** Takes a batch to the point where each of its writes is settled or back in the queue. Never rejects. */
  async #run(batch: readonly Pending[]): Promise<void> {
    const sent: Sent = { epoch: this.#epoch, after: this.#lastRevision };
    try {
      const lease = batch.some((write) => write.deletes) ? await this.#leaseId() : '0';
      if (await this.#send(batch, sent.epoch, lease)) return;
      await this.#again(batch, RETRY_MS_MIN); // The epoch was over.
    } catch (error) {
      if (!(error instanceof EtcdError)) rejectAll(batch, internalError('the write failed', { cause: error }));
      else if (error.outcome === 'unknown') await this.#settleUnknown(batch, sent, error);
      else await this.#refused(batch, error);
    }
  }

  /** False: etcd has done nothing because the epoch is over. */
  async #send(batch: readonly Pending[], epoch: string, lease: string): Promise<boolean> {
    const success: Operation[] = [{ type: 'put', key: this.#keys.revision, value: NOTHING }];
    let writes = 0;
    for (const pending of batch) {
      success.push(pending.toTransaction(writes, lease));
      writes += pending.writes;
    }
    this.stats.transactions++;
    const { succeeded, revision, results } = await this.#deps.etcd.txn({
      compare: [{ key: this.#keys.fence(epoch), target: 'create', result: 'equal', value: 0 }],
      success,
      failure: [],
    });
    this.#lastRevision = Math.max(this.#lastRevision, revision);
    if (!succeeded) return false;
    this.stats.writes += writes;
    let index = 0;
    batch.forEach((pending, at) => {
      pending.settle(results[at + 1]!, revision, index);
      index += pending.writes;
    });
    return true;
  }

  /** Without a lease nothing was sent, whatever became of the request for the lease. */
  async #leaseId(): Promise<string> {
    try {
      return await this.#lease.id();
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      throw new EtcdError(error.reason, 'refused', error.message, { cause: error });
    }
  }

  /** etcd has certainly not applied it. */
  async #refused(batch: readonly Pending[], error: EtcdError): Promise<void> {
    switch (error.reason) {
      case 'Unavailable':
      case 'DeadlineExceeded':
        return this.#again(batch, RETRY_MS_MAX / 4);
      case 'LeaseNotFound':
        this.#lease.lost();
        return this.#again(batch, RETRY_MS_MIN);
      case 'TooLarge': {
        const half = Math.ceil(batch.length / 2);
        if (half === batch.length) return rejectAll(batch, tooLarge(error));
        await this.#run(batch.slice(0, half));
        return this.#run(batch.slice(half));
      }
      case 'NoSpace':
        return rejectAll(batch, noSpace(error));
      default:
        return rejectAll(batch, internalError(`etcd refused the write: ${error.message}`, { cause: error }));
    }
  }

  /** Back to the head of the queue, except for what has waited too long. */
  async #again(batch: readonly Pending[], delayMs: number): Promise<void> {
    this.stats.retries++;
    this.#batcher.putBack(batch);
    this.#giveUpOld();
    if (this.#batcher.size > 0) await this.#pause(delayMs);
  }

  /** What waits in the queue has certainly not happened, so it can be given up. */
  #giveUpOld(): void {
    const horizon = this.#closing.signal.aborted ? Number.POSITIVE_INFINITY : this.#clock.nowMs() - GIVE_UP_MS;
    for (const write of this.#batcher.takeOlder(horizon)) write.reject(givenUp());
  }

  async #settleUnknown(batch: readonly Pending[], sent: Sent, error: EtcdError): Promise<void> {
    this.stats.unknownOutcomes++;
    this.#deps.log?.warn({ writes: batch.length, error }, 'looking for the outcome of a transaction');
    // etcd itself has answered that it ran out of space: nothing is left under way that could still happen.
    const answered = error.reason === 'NoSpace';
    let unfenced: EtcdError | null = null;
    for (let delayMs = RETRY_MS_MIN; !this.#closing.signal.aborted; delayMs = Math.min(2 * delayMs, RETRY_MS_MAX)) {
      try {
        const upTo = answered || unfenced ? 0 : await this.#endEpoch(sent.epoch);
        const missing = await this.#settleFound(batch, sent.after, upTo);
        if (answered) rejectAll(missing, noSpace(error));
        else if (unfenced) rejectAll(missing, open(unfenced));
        else if (missing.length > 0) await this.#again(missing, RETRY_MS_MIN);
        return;
      } catch (failure) {
        if (!(failure instanceof EtcdError)) return rejectAll(batch, open(failure));
        if (failure.reason === 'LeaseNotFound') this.#lease.lost();
        if (failure.reason === 'NoSpace') unfenced = failure;
        this.#deps.log?.warn({ error: failure }, 'the outcome is still open');
        this.#giveUpOld();
        await this.#pause(delayMs);
      }
    }
    rejectAll(batch, open(error));
  }

  /** Behind the revision that this resolves to, no transaction of `epoch` can be applied any more. */
  async #endEpoch(epoch: string): Promise<number> {
    if (epoch === this.#epoch) this.#epoch = randomUUID();
    const { revision } = await this.#deps.etcd.put(this.#keys.fence(epoch), NOTHING, await this.#lease.id());
    return revision;
  }

  /** Acknowledges the writes that are in the log and returns those that are not. */
  async #settleFound(batch: readonly Pending[], after: number, upTo: number): Promise<Pending[]> {
    const outcomes = await Promise.all(
      batch.map(({ witness: { key, provenance, ifRevision } }) =>
        findOutcome(this.#deps.etcd, this.#keys, {
          ...{ key, requestId: provenance.requestId, after: Math.max(after, ifRevision), upTo },
        }).catch(unlessCompacted),
      ),
    );
    return batch.filter((write, at) => {
      const outcome = outcomes[at];
      if (outcome === undefined) return true;
      if (outcome instanceof EtcdError) write.reject(open(outcome));
      else {
        this.stats.writes += write.writes;
        write.acknowledge(outcome.revision, outcome.index);
      }
      return false;
    });
  }

  #pause(delayMs: number): Promise<void> {
    return this.#clock.pause(delayMs, this.#closing.signal);
  }
}

function rejectAll(batch: readonly Pending[], error: Error): void {
  for (const write of batch) write.reject(error);
}

/** Tells a log that is gone from an etcd that cannot be asked now. */
function unlessCompacted(error: unknown): EtcdError {
  if (error instanceof EtcdError && error.reason === 'Compacted') return error;
  throw error;
}

const tooMany = (): StatusError =>
  new StatusError('TooManyRequests', 'too many writes are waiting for etcd, please try again later', {
    retryAfterSeconds: 1,
  });

const givenUp = (): StatusError =>
  new StatusError('Timeout', 'etcd could not be reached in time; nothing was changed', { retryAfterSeconds: 1 });

const open = (cause: unknown): StatusError =>
  new StatusError('Timeout', 'it could not be learned whether this change was made', undefined, { cause });

const noSpace = (error: EtcdError): StatusError =>
  new StatusError(
    'ServiceUnavailable',
    'etcd has no space left (it needs compaction, defragmentation and its alarm disarmed); nothing was changed',
    undefined,
    { cause: error },
  );

const tooManyWrites = (writes: number): StatusError =>
  requestEntityTooLarge(`a transaction of ${writes} objects, limit is ${WRITES_PER_REVISION_MAX}`);

const tooLarge = (error: EtcdError): StatusError =>
  new StatusError('RequestEntityTooLarge', `the change is too large for etcd: ${error.message}`, undefined, {
    cause: error,
  });
