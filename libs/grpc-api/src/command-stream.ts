import type { ServerDuplexStream } from '@grpc/grpc-js';
import { badRequest } from '@periplus/apimachinery';
import type { Fairness, Seat, User } from '@periplus/operations';
import type { apiProto } from '@periplus/proto';
import { callError } from './call-error.ts';
import { type Command, type CommandDeps, type CommandResult, commandResult, refusal, verbOf } from './commands.ts';
import { takeSeat } from './seats.ts';

type CommandBatch = apiProto.api.v1.CommandBatch.$Properties;
type CommandResultBatch = apiProto.api.v1.CommandResultBatch.$Properties;

/** Limits of a message, given by the contract in `proto/periplus/api/v1`. */
const BATCH_COMMANDS_MAX = 128;
const BATCH_BYTES_MAX = 1024 * 1024;
/** Commands of one stream that are being carried out; no more are read meanwhile. */
const IN_FLIGHT_MAX = 1_024;

export interface CommandStreamDeps extends CommandDeps {
  fairness: Fairness;
}

/**
 * Carries out the commands of a stream as they come, all at once, and sends their results as they are ready: those
 * of one turn of the event loop in one message. The commands of a message share one seat of priority and fairness, as
 * they share a transaction; it is that of the first.
 */
export class CommandStream {
  private readonly deps: CommandStreamDeps;
  private readonly user: User;
  private readonly call: ServerDuplexStream<CommandBatch, CommandResultBatch>;
  private ready: CommandResult[] = [];
  private inFlight = 0;
  private flushing = false;
  private ended = false;
  private gone = false;

  constructor(deps: CommandStreamDeps, user: User, call: ServerDuplexStream<CommandBatch, CommandResultBatch>) {
    this.deps = deps;
    this.user = user;
    this.call = call;
    call.on('data', (batch: CommandBatch) => this.take(batch.commands ?? []));
    call.on('end', () => {
      this.ended = true;
      this.endWhenDone();
    });
    call.on('cancelled', () => {
      this.gone = true;
    });
    call.on('error', () => {
      this.gone = true;
    });
  }

  private take(commands: readonly Command[]): void {
    if (commands.length > BATCH_COMMANDS_MAX) {
      this.gone = true;
      this.call.emit('error', callError(badRequest(`a batch holds at most ${BATCH_COMMANDS_MAX} commands`)));
      return;
    }
    this.inFlight += commands.length;
    if (this.inFlight >= IN_FLIGHT_MAX) this.call.pause();
    const [first] = commands;
    if (first) this.seat(commands, first);
  }

  private seat(commands: readonly Command[], first: Command): void {
    const refuse = (error: unknown): void => {
      for (const command of commands) this.finish(refusal(command, error));
    };
    try {
      const asked = { user: this.user, ref: first.ref, verb: verbOf(first) };
      const place = takeSeat(this.deps.fairness, this.call, asked);
      if (place instanceof Promise) place.then((seat) => this.carryOut(commands, seat), refuse);
      else this.carryOut(commands, place);
    } catch (error) {
      refuse(error);
    }
  }

  private carryOut(commands: readonly Command[], seat: Seat): void {
    let left = commands.length;
    for (const command of commands) {
      void commandResult(this.deps, this.user, command).then((result) => {
        if (--left === 0) seat.release();
        this.finish(result);
      });
    }
  }

  private finish(result: CommandResult): void {
    this.inFlight--;
    if (this.gone) return;
    this.ready.push(result);
    if (this.flushing) return;
    this.flushing = true;
    setImmediate(() => this.flush());
  }

  private flush(): void {
    this.flushing = false;
    if (this.gone) return;
    for (const results of batches(this.ready)) this.call.write({ results });
    this.ready = [];
    this.readOn();
    this.endWhenDone();
  }

  /** Not before the client has taken what is there for it: unread results must not pile up either. */
  private readOn(): void {
    if (this.call.writableNeedDrain) {
      this.call.pause();
      this.call.once('drain', () => this.readOn());
    } else if (this.inFlight < IN_FLIGHT_MAX) {
      this.call.resume();
    }
  }

  private endWhenDone(): void {
    if (this.ended && this.inFlight === 0 && this.ready.length === 0 && !this.gone) this.call.end();
  }
}

function* batches(results: readonly CommandResult[]): Generator<CommandResult[]> {
  let batch: CommandResult[] = [];
  let bytes = 0;
  for (const result of results) {
    const size = (result.object?.length ?? 0) + (result.status?.length ?? 0);
    if (batch.length === BATCH_COMMANDS_MAX || (batch.length > 0 && bytes + size > BATCH_BYTES_MAX)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(result);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
