import type { Client, ClientDuplexStream, StatusObject } from '@grpc/grpc-js';
import { leaseMethods, type etcdserverpb as v3 } from '@periplus/proto';
import { requireLeader } from './calls.ts';
import type { Connection } from './connection.ts';
import { EtcdError, etcdErrorOf } from './error.ts';

type Stream = ClientDuplexStream<v3.LeaseKeepAliveRequest.$Shape, v3.LeaseKeepAliveResponse.$Shape>;

interface Renewal {
  readonly id: number;
  readonly timer: NodeJS.Timeout;
  resolve(ttlSeconds: number): void;
  reject(error: EtcdError): void;
}

/** Renews leases, all over one stream, which is opened when needed and left when an answer is late. */
export class RenewalStream {
  readonly #connection: Connection;
  /** Sent and not yet answered. etcd answers in order. */
  #renewals: Renewal[] = [];
  #stream: Stream | null = null;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Resolves to the seconds that the lease has from now on; 0 when it is gone. Rejects with `Unavailable` or `DeadlineExceeded`. */
  async renew(id: number, timeoutMs: number): Promise<number> {
    const deadline = Date.now() + timeoutMs;
    const client = this.#connection.current ?? (await this.#connection.ready(deadline));
    const stream = this.#stream ?? this.#open(client);
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const late = (): void => {
      reject(new EtcdError('DeadlineExceeded', 'unknown', `etcd: lease ${id} was not renewed within ${timeoutMs} ms`));
      stream.cancel();
    };
    const timer = setTimeout(late, Math.max(0, deadline - Date.now()));
    this.#renewals.push({ id, timer, resolve, reject });
    stream.write({ ID: id });
    return promise;
  }

  close(): void {
    this.#stream?.cancel();
  }

  #open(client: Client): Stream {
    const { path, requestSerialize, responseDeserialize } = leaseMethods.leaseKeepAlive;
    const stream: Stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, requireLeader());
    this.#stream = stream;
    stream.on('data', ({ ID: id, TTL: ttlSeconds }: v3.LeaseKeepAliveResponse) => {
      const at = this.#renewals.findIndex((renewal) => renewal.id === id);
      const [renewal] = at === -1 ? [] : this.#renewals.splice(at, 1);
      clearTimeout(renewal?.timer);
      renewal?.resolve(Math.max(0, ttlSeconds));
    });
    stream.on('error', () => {}); // the status says it all
    stream.on('status', ({ code, details }: StatusObject) => {
      this.#stream = null;
      this.#connection.suspect(client);
      const error = etcdErrorOf(details, code);
      for (const renewal of this.#renewals.splice(0)) {
        clearTimeout(renewal.timer);
        renewal.reject(error);
      }
    });
    return stream;
  }
}
