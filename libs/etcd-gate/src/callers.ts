import { type handleUnaryCall, type ServerUnaryCall, status } from '@grpc/grpc-js';
import { EtcdError } from '@periplus/etcd';
import { type GateIdentity, type GatePeer, nameOf } from './identity.ts';
import { type GateStatus, PERMISSION_DENIED, statusOf, UNAUTHENTICATED } from './status.ts';

/** Watches and keep-alives together; a client has one of each. */
const STREAMS_PER_NODE_MAX = 16;
const STREAMS_FOR_EVERY_NODE_MAX = 256;
/** Then the caller has to connect again and show a certificate that is still good. */
const STREAM_MS_MAX = 3_600_000;

const RECONNECT: GateStatus = { code: status.UNAVAILABLE, details: 'etcd gate: time to connect again' };
const TOO_MANY: GateStatus = { code: status.RESOURCE_EXHAUSTED, details: 'etcd gate: too many streams' };

/** Where the gate says whom it refused what. */
export interface GateLog {
  warn(fields: Record<string, unknown>, message: string): void;
}

/** Thrown by a handler to end a call with a status of its own. */
export class GateRefusal extends Error {
  readonly status: GateStatus;

  constructor(refusal: GateStatus) {
    super(refusal.details);
    this.status = refusal;
  }
}

/** Something that ends a stream. */
interface Ender {
  end(with_: GateStatus): void;
}

/** A caller whose stream is served. */
export interface AdmittedCaller {
  identity: GateIdentity;
  refused(what: string): void;
  /** To be called with what serves the stream. */
  serve(server: Ender): void;
  /** To be called when the stream is over. */
  ended(): void;
}

type AnyCall = Pick<ServerUnaryCall<unknown, unknown>, 'getAuthContext' | 'getPeer' | 'emit'>;

/** Who calls, who is let in, and which of their streams are open. */
export class Callers {
  readonly #authenticate: (peer: GatePeer) => GateIdentity | undefined;
  readonly #log: GateLog;
  readonly #open = new Set<Ender>();
  readonly #streams = new Map<string, number>();

  constructor(authenticate: (peer: GatePeer) => GateIdentity | undefined, log: GateLog) {
    this.#authenticate = authenticate;
    this.#log = log;
  }

  /** A handler that answers, or fails with the status of what was thrown. */
  unary<Request, Response>(
    handle: (identity: GateIdentity, request: Request) => Promise<Response>,
  ): handleUnaryCall<Request, Response> {
    return (call, callback) => {
      const identity = this.#identify(call);
      if (identity === undefined) return callback(UNAUTHENTICATED);
      handle(identity, call.request).then(
        (response) => callback(null, response),
        (error: unknown) => {
          const failure = statusFor(error);
          if (failure.code === status.PERMISSION_DENIED) this.#refused(identity, call.getPath());
          callback(failure);
        },
      );
    };
  }

  /** Lets a stream in, or ends it. */
  admit(call: AnyCall): AdmittedCaller | undefined {
    const identity = this.#identify(call);
    const name = identity === undefined ? '' : nameOf(identity);
    const count = this.#streams.get(name) ?? 0;
    if (identity === undefined || count >= streamsMax(identity)) {
      call.emit('error', identity === undefined ? UNAUTHENTICATED : TOO_MANY);
      return undefined;
    }
    this.#streams.set(name, count + 1);
    let server: Ender | null = null;
    const timer = setTimeout(() => server?.end(RECONNECT), STREAM_MS_MAX * (1 - Math.random() / 10));
    timer.unref();
    return {
      identity,
      refused: (what) => this.#refused(identity, what),
      serve: (ender) => {
        server = ender;
        this.#open.add(ender);
      },
      ended: () => {
        clearTimeout(timer);
        if (server !== null) this.#open.delete(server);
        const left = this.#streams.get(name)! - 1;
        if (left === 0) this.#streams.delete(name);
        else this.#streams.set(name, left);
      },
    };
  }

  endAll(with_: GateStatus): void {
    for (const ender of [...this.#open]) ender.end(with_);
  }

  #identify(call: AnyCall): GateIdentity | undefined {
    const { sslPeerCertificate: certificate } = call.getAuthContext();
    return this.#authenticate({ address: call.getPeer(), certificate });
  }

  #refused(identity: GateIdentity, what: string): void {
    this.#log.warn({ caller: nameOf(identity), what }, 'the etcd gate has refused a call');
  }
}

const streamsMax = (identity: GateIdentity): number =>
  'everyNode' in identity ? STREAMS_FOR_EVERY_NODE_MAX : STREAMS_PER_NODE_MAX;

export function statusFor(error: unknown): GateStatus {
  if (error instanceof GateRefusal) return error.status;
  if (error instanceof EtcdError) return statusOf(error);
  return { code: status.INTERNAL, details: 'etcd gate: internal error' };
}

/** For methods that are nobody's. */
export const refuse = (): Promise<never> => Promise.reject(new GateRefusal(PERMISSION_DENIED));
