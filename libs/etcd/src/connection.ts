import { isIP } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { checkServerIdentity } from 'node:tls';
import { type ChannelCredentials, type ChannelOptions, Client, connectivityState, credentials } from '@grpc/grpc-js';
import { backoffMs } from './backoff.ts';
import { EtcdError } from './error.ts';
import type { EtcdOptions } from './types.ts';

const CONNECT_MS_MAX = 3_000;
const RECONNECT = { baseMs: 50, maxMs: 2_000 };
const KEEPALIVE_MS = 10_000;
/** What a connection may have in flight towards us before we have read it. */
const FLOW_CONTROL_BYTES = 4 << 20;
/** Of one message. Watches ask for fragments of the size of a request; this is for ranges without a limit. */
const RECEIVE_BYTES_MAX = 256 << 20;

/**
 * One connection to one of the endpoints, in the order given, moving on to the next when it fails. It is made when first asked for.
 * Every Connection has a socket of its own.
 */
export class Connection {
  readonly #endpoints: readonly Endpoint[];
  readonly #random: () => number;
  readonly #closed = new AbortController();
  #next = 0;
  #client: Client | null = null;
  #connecting: Promise<Client> | null = null;
  #waiting = 0;
  #lastFailure = 'not tried yet';

  constructor(options: EtcdOptions, random: () => number = Math.random) {
    if (options.endpoints.length === 0) throw new Error('etcd: no endpoints');
    this.#endpoints = options.endpoints.map((url) => endpointOf(url, options));
    this.#random = random;
  }

  /** A client whose connection stands, if there is one. */
  get current(): Client | null {
    const client = this.#client;
    return client !== null && client.getChannel().getConnectivityState(false) === connectivityState.READY
      ? client
      : null;
  }

  /** A client whose connection stands. Rejects with `Unavailable`, refused, at `deadline` (milliseconds since the epoch). */
  async ready(deadline: number): Promise<Client> {
    const { current } = this;
    if (current !== null) return current;
    this.#waiting++;
    try {
      this.#connecting ??= this.#connect().finally(() => {
        this.#connecting = null;
      });
      return await this.#until(this.#connecting, deadline);
    } finally {
      this.#waiting--;
    }
  }

  /** `client` did not answer: the next call goes elsewhere. Calls in flight on it may still end well. */
  suspect(client: Client): void {
    if (client === this.#client) this.#leave();
  }

  close(): void {
    this.#closed.abort();
    this.#leave();
  }

  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** Tries the endpoints in turn for as long as somebody waits. */
  async #connect(): Promise<Client> {
    for (let attempt = 0; !this.closed.aborted && (attempt === 0 || this.#waiting > 0); attempt++) {
      if (attempt > 0 && attempt % this.#endpoints.length === 0) {
        const round = attempt / this.#endpoints.length - 1;
        await pause(backoffMs(round, RECONNECT, this.#random()), undefined, { signal: this.closed }).catch(() => {});
      }
      this.#leave();
      const client = await this.#tryEndpoint(this.#endpoints[this.#next]!);
      if (client !== null) return client;
    }
    throw this.#unavailable();
  }

  async #tryEndpoint(endpoint: Endpoint): Promise<Client | null> {
    const client = new Client(endpoint.address, endpoint.credentials, endpoint.options);
    this.#client = client;
    const state = await settledState(client, Date.now() + CONNECT_MS_MAX);
    if (this.#client === client && state === connectivityState.READY) return client;
    this.#lastFailure = `${endpoint.address}: ${await failureOf(client, state)}`;
    this.suspect(client);
    return null;
  }

  /** Gives up the present client and turns to the next endpoint. */
  #leave(): void {
    if (this.#client === null) return;
    this.#client.close();
    this.#client = null;
    this.#next = (this.#next + 1) % this.#endpoints.length;
  }

  #until(connecting: Promise<Client>, deadline: number): Promise<Client> {
    if (deadline === Number.POSITIVE_INFINITY) return connecting;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(this.#unavailable()), Math.max(0, deadline - Date.now()));
      connecting.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }

  #unavailable(): EtcdError {
    const why = this.closed.aborted ? 'the client is closed' : `no connection (${this.#lastFailure})`;
    return new EtcdError('Unavailable', 'refused', `etcd: ${why}`);
  }
}

interface Endpoint {
  address: string;
  credentials: ChannelCredentials;
  options: ChannelOptions;
}

function endpointOf(url: string, { tls, keepaliveMs = KEEPALIVE_MS }: EtcdOptions): Endpoint {
  const { protocol, hostname, host, port } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') throw new Error(`etcd: endpoint ${url} is neither http nor https`);
  if (protocol === 'https:' && tls === undefined) throw new Error(`etcd: endpoint ${url} needs certificates`);
  const options: ChannelOptions = {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.service_config_disable_resolution': 1,
    'grpc.enable_http_proxy': 0,
    'grpc.keepalive_time_ms': keepaliveMs,
    'grpc.keepalive_timeout_ms': keepaliveMs / 2,
    'grpc.max_receive_message_length': RECEIVE_BYTES_MAX,
    'grpc.max_send_message_length': -1, // etcd's own limit decides, and its error says so
    'grpc-node.flow_control_window': FLOW_CONTROL_BYTES,
  };
  const address = port === '' ? `${host}:${protocol === 'https:' ? 443 : 80}` : host;
  if (protocol === 'http:') return { address, credentials: credentials.createInsecure(), options };
  const name = hostname.replace(/^\[|\]$/g, '');
  // An IP address may not stand in the TLS server name (RFC 6066), so another word does; the certificate is still checked against the address.
  if (isIP(name) !== 0) options['grpc.ssl_target_name_override'] = 'etcd';
  return {
    address,
    options,
    credentials: credentials.createSsl(tls!.ca, tls!.key, tls!.cert, {
      checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
    }),
  };
}

/** Waits until `client` is connected or has failed to; at `deadline` it is what it is. */
function settledState(client: Client, deadline: number): Promise<connectivityState> {
  const channel = client.getChannel();
  return new Promise((resolve) => {
    const look = (): void => {
      const state = channel.getConnectivityState(true);
      if (state === connectivityState.IDLE || state === connectivityState.CONNECTING) {
        channel.watchConnectivityState(state, deadline, (timedOut) => (timedOut ? resolve(state) : look()));
      } else resolve(state);
    };
    look();
  });
}

/** The channel keeps to itself why it failed; a call that it refuses at once says it. */
function failureOf(client: Client, state: connectivityState): Promise<string> {
  if (state !== connectivityState.TRANSIENT_FAILURE) return Promise.resolve(`no answer within ${CONNECT_MS_MAX} ms`);
  const nothing = (): Buffer => Buffer.alloc(0);
  return new Promise((resolve) => {
    const deadline = { deadline: Date.now() + CONNECT_MS_MAX };
    client.makeUnaryRequest('/etcdserverpb.KV/Range', nothing, nothing, null, deadline, (error) =>
      resolve(error === null ? 'connected too late' : error.details),
    );
  });
}
