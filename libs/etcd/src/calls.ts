import { setTimeout as pause } from 'node:timers/promises';
import { type Client, Metadata, type MethodDefinition } from '@grpc/grpc-js';
import { backoffMs } from './backoff.ts';
import type { Connection } from './connection.ts';
import { EtcdError, fromServiceError } from './error.ts';

const RETRY = { baseMs: 25, maxMs: 1_000 };
/** More at once mean that somebody does not wait for answers; they would only pile up. */
const CALLS_MAX = 20_000;

/**
 * What a member has passed on to a leader that died is never answered. After this time, in which another leader is elected, whoever
 * may not repeat the call goes on to find out what became of it.
 */
const WRITE_MS_MAX = 2_000;

/** etcd refuses what carries this when its member has lost the leader, instead of letting it wait or hang on silently. */
export function requireLeader(): Metadata {
  const metadata = new Metadata();
  metadata.set('hasleader', 'true');
  return metadata;
}

/** Unary calls with a deadline, failover and the retries that are safe. */
export class Calls {
  readonly #connection: Connection;
  readonly #timeoutMs: number;
  readonly #metadata = requireLeader();
  #open = 0;

  constructor(connection: Connection, timeoutMs: number) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * A call that may be repeated is, until the deadline, when its connection fails. Any other is repeated only if the first one
   * certainly did nothing.
   */
  async call<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    options: { repeatable: boolean },
  ): Promise<Response> {
    if (this.#open >= CALLS_MAX) throw new EtcdError('Unavailable', 'refused', `etcd: ${CALLS_MAX} calls are open`);
    this.#open++;
    try {
      return await this.#try(method, request, options);
    } finally {
      this.#open--;
    }
  }

  async #try<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    { repeatable }: { repeatable: boolean },
  ): Promise<Response> {
    const deadline = Date.now() + this.#timeoutMs;
    for (let attempt = 0; ; attempt++) {
      const client = this.#connection.current ?? (await this.#connection.ready(deadline));
      const attemptDeadline = attemptEnd(deadline, repeatable, attempt);
      try {
        return await this.#send(client, method, request, attemptDeadline);
      } catch (error) {
        const { reason, outcome } = error as EtcdError;
        if (reason !== 'Unavailable' && reason !== 'DeadlineExceeded') throw error;
        this.#connection.suspect(client);
        const delayMs = backoffMs(attempt, RETRY, Math.random());
        if (!(repeatable || outcome === 'refused') || Date.now() + delayMs >= deadline) throw error;
        await pause(delayMs);
      }
    }
  }

  #send<Request, Response>(
    client: Client,
    method: MethodDefinition<Request, Response>,
    request: Request,
    deadline: number,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        this.#metadata,
        { deadline },
        (error, response) => (error === null ? resolve(response!) : reject(fromServiceError(error))),
      );
    });
  }
}

/** When to stop waiting for the answer to one attempt: a call that may be repeated has time left to be repeated elsewhere. */
function attemptEnd(deadline: number, repeatable: boolean, attempt: number): number {
  const now = Date.now();
  if (!repeatable) return Math.min(deadline, now + WRITE_MS_MAX);
  return attempt === 0 ? now + (deadline - now) / 2 : deadline;
}
