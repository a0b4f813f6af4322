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
    return new Client(targets[this.at]!, credentials.createSsl(tls.ca, tls.key, tls.cert), CHANNEL);
  }
}
