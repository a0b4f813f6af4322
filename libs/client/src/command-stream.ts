import { parseVersion, StatusError } from '@periplus/apimachinery';
import { statusOf } from './call-error.ts';
import type { CommandTransport, ResultMessage } from './command-transport.ts';
import { type CommandMessage, encodeCommand, sizeOf } from './encode-command.ts';
import { OutcomeUnknownError } from './outcome-unknown.ts';
import type { Command, CommandCause, CommandClient, CommandOutcome } from './types.ts';

/** Limits of a message, given by the contract in `proto/periplus/api/v1`. */
const BATCH_COMMANDS_MAX = 128;
const BATCH_BYTES_MAX = 1024 * 1024;
/** Commands accepted and not answered; further callers wait. */
const IN_FLIGHT_MAX = 1_024;
/** An answer takes milliseconds; an api-server that lost etcd answers within its own limits, well below this. */
const ANSWER_TIMEOUT_MS = 30_000;
const SWEEP_INTERVAL_MS = 1_000;
const RECONNECT_MS_MIN = 50;
const RECONNECT_MS_MAX = 2_000;

interface Pending {
  message: CommandMessage;
  bytes: number;
  sinceMs: number;
  resolve(outcome: CommandOutcome): void;
  reject(error: Error): void;
}

/**
 * Sends commands over one stream. What is asked for in one turn of the event loop, and while the stream is full,
 * travels in one message. A lost stream rejects what was written with `OutcomeUnknownError`, keeps what was not,
 * and comes back by itself.
 */
export class CommandStream implements CommandClient {
  private readonly transport: CommandTransport;
  private stream: ReturnType<CommandTransport['open']> | null = null;
  private open = false;
  private full = false;
  private flushing = false;
  private closed = false;
  private attempts = 0;
  private lastId = 0;
  private reconnect: NodeJS.Timeout | null = null;
  /** Runs while commands are under way. */
  private sweeper: NodeJS.Timeout | null = null;
  /** Accepted and not written, in order. */
  private readonly queue = new Map<number, Pending>();
  /** Written and not answered. */
  private readonly sent = new Map<number, Pending>();
  private readonly waiting: (() => void)[] = [];
  private idle: (() => void)[] = [];

  constructor(transport: CommandTransport) {
    this.transport = transport;
    this.connect();
  }

  get underWay(): number {
    return this.queue.size + this.sent.size;
  }

  async send(command: Command, cause: CommandCause | null, signal?: AbortSignal): Promise<CommandOutcome> {
    while (this.underWay >= IN_FLIGHT_MAX && !this.closed) {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    if (this.closed) throw new StatusError('ServiceUnavailable', 'the command client is closed');
    signal?.throwIfAborted();
    const id = ++this.lastId;
    const message = encodeCommand(id, command, cause);
    this.sweeper ??= setInterval(() => this.sweep(Date.now()), SWEEP_INTERVAL_MS).unref();
    return await new Promise<CommandOutcome>((resolve, reject) => {
      const onAbort = (): void => this.abort(id);
      const settle =
        <T>(then: (value: T) => void) =>
        (value: T): void => {
          signal?.removeEventListener('abort', onAbort);
          then(value);
        };
      signal?.addEventListener('abort', onAbort, { once: true });
      const pending = { message, bytes: sizeOf(message), sinceMs: Date.now() };
      this.queue.set(id, { ...pending, resolve: settle(resolve), reject: settle(reject) });
      this.scheduleFlush();
    });
  }

  /** Waits for the answers that are due, then ends the stream. Nothing is accepted any more. */
  async close(): Promise<void> {
    this.closed = true;
    if (this.underWay > 0) await new Promise<void>((resolve) => this.idle.push(resolve));
    this.stopSweeping();
    if (this.reconnect) clearTimeout(this.reconnect);
    this.stream?.end();
    this.transport.close();
    for (const resume of this.waiting.splice(0)) resume();
  }

  private connect(): void {
    this.reconnect = null;
    this.stream = this.transport.open({
      onOpen: () => {
        this.open = true;
        this.full = false;
        this.flush();
      },
      onResults: (results) => {
        this.attempts = 0;
        for (const result of results) this.settle(result);
      },
      onDrain: () => {
        this.full = false;
        this.flush();
      },
      onLost: (error) => this.lost(error),
    });
  }

  private lost(error: Error): void {
    this.open = false;
    this.stream = null;
    const unanswered = [...this.sent.values()];
    this.sent.clear();
    for (const pending of unanswered) {
      pending.reject(
        new OutcomeUnknownError(
          'ServiceUnavailable',
          `the connection was lost before the answer came: ${error.message}`,
          error,
        ),
      );
    }
    this.released();
    const delayMs = Math.min(RECONNECT_MS_MAX, RECONNECT_MS_MIN * 2 ** Math.min(this.attempts++, 16));
    // Half of the delay is random, so that many clients of a restarted api-server do not come at once.
    this.reconnect = setTimeout(() => this.connect(), delayMs * (0.5 + Math.random() / 2));
    if (this.queue.size === 0) this.reconnect.unref();
  }

  /** Everything asked for before the event loop turns goes into the same messages. */
  private scheduleFlush(): void {
    if (this.flushing) return;
    this.flushing = true;
    this.reconnect?.ref();
    setImmediate(() => this.flush());
  }

  private flush(): void {
    this.flushing = false;
    while (this.open && !this.full && this.queue.size > 0 && this.stream) {
      this.full = !this.stream.write(this.takeBatch());
    }
  }

  /** The oldest commands that fit into one message; at least one, however large. */
  private takeBatch(): CommandMessage[] {
    const batch: CommandMessage[] = [];
    let bytes = 0;
    for (const [id, pending] of this.queue) {
      bytes += pending.bytes;
      if (batch.length === BATCH_COMMANDS_MAX || (batch.length > 0 && bytes > BATCH_BYTES_MAX)) break;
      batch.push(pending.message);
      this.queue.delete(id);
      this.sent.set(id, pending);
    }
    return batch;
  }

  private settle(result: ResultMessage): void {
    const pending = this.sent.get(result.id ?? 0);
    if (!pending) return;
    this.sent.delete(result.id ?? 0);
    if (result.status && result.status.length > 0) {
      const status = statusOf(result.status);
      pending.reject(
        status
          ? StatusError.fromStatus(status)
          : new StatusError('InternalError', 'the api-server sent no valid Status'),
      );
    } else {
      const resourceVersion = result.resourceVersion ?? '';
      pending.resolve({ resourceVersion, revision: parseVersion(resourceVersion)?.revision ?? 0 });
    }
    this.released();
  }

  private abort(id: number): void {
    const queued = this.queue.get(id);
    const pending = queued ?? this.sent.get(id);
    this.queue.delete(id);
    this.sent.delete(id);
    pending?.reject(
      queued
        ? new StatusError('ServiceUnavailable', 'the command was given up before it was sent')
        : new OutcomeUnknownError('Timeout', 'the command was given up before its answer came'),
    );
    this.released();
  }

  private stopSweeping(): void {
    if (this.sweeper) clearInterval(this.sweeper);
    this.sweeper = null;
  }

  private sweep(nowMs: number): void {
    if (this.underWay === 0) this.stopSweeping();
    const before = nowMs - ANSWER_TIMEOUT_MS;
    for (const [id, pending] of this.queue) {
      if (pending.sinceMs > before) break;
      this.queue.delete(id);
      pending.reject(new StatusError('ServiceUnavailable', 'no api-server could be reached'));
    }
    for (const [id, pending] of this.sent) {
      if (pending.sinceMs > before) break;
      this.sent.delete(id);
      pending.reject(new OutcomeUnknownError('Timeout', 'the api-server did not answer in time'));
    }
    this.released();
  }

  /** Lets waiting callers in; each looks again whether there is room. */
  private released(): void {
    const room = IN_FLIGHT_MAX - this.underWay;
    for (const resume of this.waiting.splice(0, room)) resume();
    if (this.closed && this.underWay === 0) for (const resume of this.idle.splice(0)) resume();
  }
}
