import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { type ChannelOptions, Client, credentials } from '@grpc/grpc-js';

/** Where the api-server's gRPC endpoint is and who calls. */
export interface ConnectionOptions {
  /** `host:port` of each api-server; one is used, the others are for failover. */
  targets: readonly string[];
  /** PEM: the cluster's authority, the caller's certificate and its key. */
  tls: { ca: Buffer; cert: Buffer; key: Buffer };
}

/** Objects of 3 MiB pass with room for their envelope, and so does a list of many. */
const MESSAGE_BYTES_MAX = 64 * 1024 * 1024;

const CHANNEL: ChannelOptions = {
  // A half-open connection is noticed within 15 seconds, used or not.
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.min_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 2_000,
  'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
  'grpc.max_send_message_length': MESSAGE_BYTES_MAX,
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  // Commands and calls share a connection within one client, never with another one of the process.
  'grpc.use_local_subchannel_pool': 1,
};

/** A gRPC client that moves on to the next target when the one in use can't be reached. */
export class Connection {
  private readonly options: ConnectionOptions;
  private at = 0;
  private current: Client;

  constructor(options: ConnectionOptions) {
    if (options.targets.length === 0) throw new RangeError('no api-server targets given');
    this.options = options;
    this.current = this.dial();
  }

  get client(): Client {
    return this.current;
  }

  /** Turns to the next target, unless somebody did since `client` was taken. */
  failover(client: Client): void {
    if (client !== this.current || this.options.targets.length === 1) return;
    this.at = (this.at + 1) % this.options.targets.length;
    this.current = this.dial();
    client.close();
  }

  close(): void {
    this.current.close();
  }

  private dial(): Client {
    const { tls, targets } = this.options;
    const target = targets[this.at]!;
    const host = target.replace(/:[0-9]+$/, '').replace(/^\[|\]$/g, '');
    // No IP address may stand in the TLS server name (RFC 6066): another word does. What the certificate is checked
    // against is the address all the same.
    const channel = isIP(host) === 0 ? CHANNEL : { ...CHANNEL, 'grpc.ssl_target_name_override': 'api-server' };
    const secrets = credentials.createSsl(tls.ca, tls.key, tls.cert, {
      checkServerIdentity: (_host, certificate) => checkServerIdentity(host, certificate),
    });
    return new Client(target, secrets, channel);
  }
}
