import { setTimeout as pause } from 'node:timers/promises';
import { type Client, Metadata, type MethodDefinition } from '@grpc/grpc-js';
import { backoffMs } from './backoff.ts';
import type { Connection } from './connection.ts';
import { EtcdError, fromServiceError } from './error.ts';

const RETRY = { baseMs: 25, maxMs: 1_000 };
/** More at once mean that somebody does not wait for answers; they would only pile up. */
const CALLS_MAX = 20_000;

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
      const attemptDeadline = repeatable && attempt === 0 ? Date.now() + (deadline - Date.now()) / 2 : deadline;
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
