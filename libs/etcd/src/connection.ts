import { isIP } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { checkServerIdentity } from 'node:tls';
import { type ChannelCredentials, type ChannelOptions, Client, connectivityState, credentials } from '@grpc/grpc-js';
import { EtcdError } from './error.ts';
import type { EtcdOptions } from './types.ts';

const CONNECT_MS_MAX = 3_000;
/** Between two tries of the same endpoint, growing from the one to the other with jitter. */
const RECONNECT_MS_MIN = 50;
const RECONNECT_MS_MAX = 3_000;
/** After a round of all endpoints; most of these looks find a try still under way or not yet due. */
const LOOK_AGAIN_MS = 50;
const KEEPALIVE_MS = 10_000;
/** What a connection may have in flight towards us before we have read it. */
const FLOW_CONTROL_BYTES = 4 << 20;
/** Of one message. Watches ask for fragments of the size of a request; this is for ranges without a limit. */
const RECEIVE_BYTES_MAX = 256 << 20;

/**
 * One connection to one of the endpoints, in the order given, moving on to the next when it fails. It is made when first
 * asked for. Every Connection has sockets of its own.
 */
export class Connection {
  readonly #endpoints: readonly Endpoint[];
  readonly #closed = new AbortController();
  #at = 0;
  #connecting: Promise<Client> | null = null;
  #waiting = 0;
  #lastFailure = 'not tried yet';

  constructor(options: EtcdOptions) {
    if (options.endpoints.length === 0) throw new Error('etcd: no endpoints');
    this.#endpoints = options.endpoints.map((url) => new Endpoint(url, options));
  }

  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** The endpoint that is used, or tried next. */
  get url(): string {
    return this.#endpoints[this.#at]!.url;
  }

  /** A client whose connection stands, if there is one. */
  get current(): Client | null {
    return this.#endpoints[this.#at]!.connected;
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

  /** `client` did not answer or lost its connection: the next call goes elsewhere. Calls in flight on it may still end well. */
  suspect(client: Client): void {
    const endpoint = this.#endpoints[this.#at]!;
    if (!endpoint.forget(client)) return;
    this.#at = (this.#at + 1) % this.#endpoints.length;
  }

  close(): void {
    this.#closed.abort();
    for (const endpoint of this.#endpoints) endpoint.close();
  }

  /** Tries the endpoints in turn for as long as somebody waits. */
  async #connect(): Promise<Client> {
    for (let attempt = 0; !this.closed.aborted && (attempt === 0 || this.#waiting > 0); attempt++) {
      if (attempt > 0 && attempt % this.#endpoints.length === 0) {
        await pause(LOOK_AGAIN_MS, undefined, { signal: this.closed }).catch(() => {});
      }
      const endpoint = this.#endpoints[this.#at]!;
      const failure = await endpoint.connect(Date.now() + CONNECT_MS_MAX);
      const client = endpoint.connected;
      if (client !== null) return client;
      this.#lastFailure = `${endpoint.url}: ${failure}`;
      this.#at = (this.#at + 1) % this.#endpoints.length;
    }
    throw this.#unavailable();
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

/**
 * One address. Its client is kept while it can't connect: grpc-js goes on trying by itself, with backoff, and a client that is closed in
 * that state would leave a connection behind.
 */
class Endpoint {
  readonly url: string;
  readonly #open: () => Client;
  #client: Client | null = null;

  constructor(url: string, options: EtcdOptions) {
    const { address, secrets, channel } = addressOf(url, options);
    this.url = url;
    this.#open = () => new Client(address, secrets, channel);
  }

  get connected(): Client | null {
    return this.#client !== null && stateOf(this.#client) === connectivityState.READY ? this.#client : null;
  }

  /** Connects, or says why it could not by `deadline` or since it last tried. */
  async connect(deadline: number): Promise<string> {
    this.#client ??= this.#open();
    const client = this.#client;
    const state = await settledState(client, deadline);
    return state === connectivityState.TRANSIENT_FAILURE ? failureOf(client) : `no answer within ${CONNECT_MS_MAX} ms`;
  }

  /** False when `client` is not, or not any more, this endpoint's. A connection that stands but is in doubt is given up. */
  forget(client: Client): boolean {
    if (client !== this.#client) return false;
    if (this.connected !== null) this.close();
    return true;
  }

  close(): void {
    this.#client?.close();
    this.#client = null;
  }
}

const stateOf = (client: Client): connectivityState => client.getChannel().getConnectivityState(false);

interface Address {
  address: string;
  secrets: ChannelCredentials;
  channel: ChannelOptions;
}

function addressOf(url: string, { tls, keepaliveMs = KEEPALIVE_MS }: EtcdOptions): Address {
  const { protocol, hostname, host, port } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') throw new Error(`etcd: endpoint ${url} is neither http nor https`);
  if (protocol === 'https:' && tls === undefined) throw new Error(`etcd: endpoint ${url} needs certificates`);
  const channel: ChannelOptions = {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.service_config_disable_resolution': 1,
    'grpc.enable_http_proxy': 0,
    'grpc.initial_reconnect_backoff_ms': RECONNECT_MS_MIN,
    'grpc.max_reconnect_backoff_ms': RECONNECT_MS_MAX,
    'grpc.keepalive_time_ms': keepaliveMs,
    'grpc.keepalive_timeout_ms': keepaliveMs / 2,
    'grpc.max_receive_message_length': RECEIVE_BYTES_MAX,
    'grpc.max_send_message_length': -1, // etcd's own limit decides, and its error says so
    'grpc-node.flow_control_window': FLOW_CONTROL_BYTES,
  };
  const address = port === '' ? `${host}:${protocol === 'https:' ? 443 : 80}` : host;
  if (protocol === 'http:') return { address, secrets: credentials.createInsecure(), channel };
  const name = hostname.replace(/^\[|\]$/g, '');
  // An IP address may not stand in the TLS server name (RFC 6066), so another word does; the certificate is still checked against the address.
  if (isIP(name) !== 0) channel['grpc.ssl_target_name_override'] = 'etcd';
  return {
    address,
    channel,
    secrets: credentials.createSsl(tls!.ca, tls!.key, tls!.cert, {
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
function failureOf(client: Client): Promise<string> {
  const nothing = (): Buffer => Buffer.alloc(0);
  return new Promise((resolve) => {
    const deadline = { deadline: Date.now() + CONNECT_MS_MAX };
    client.makeUnaryRequest('/etcdserverpb.KV/Range', nothing, nothing, null, deadline, (error) =>
      resolve(error === null ? 'connected too late' : error.details),
    );
  });
}
