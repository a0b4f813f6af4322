import { setTimeout as pause } from 'node:timers/promises';
import type { Client, ClientDuplexStream } from '@grpc/grpc-js';
import { leaseMethods, type etcdserverpb as v3 } from '@periplus/proto';
import { backoffMs } from './backoff.ts';
import { requireLeader } from './calls.ts';
import type { Connection } from './connection.ts';

const RECONNECT = { baseMs: 50, maxMs: 1_000 };
const RENEWALS_PER_TTL = 3;
/** Renewals that fall due within so long are looked at together. */
const LOOK_MS_MIN = 5;

type Stream = ClientDuplexStream<v3.LeaseKeepAliveRequest.$Shape, v3.LeaseKeepAliveResponse.$Shape>;

interface Lease {
  readonly id: number;
  readonly ttlMs: number;
  /** When the last answered renewal was sent: etcd keeps the lease for ttlMs from then at least. */
  renewedAt: number;
  /** When the renewal in flight was sent; 0 for none. */
  askedAt: number;
  readonly end: () => void;
}

/**
 * Keeps leases alive over one stream. A lease that could not be renewed within its time counts as ended, whether etcd is
 * there to say so or not.
 */
export class LeaseKeeper {
  readonly #connection: Connection;
  readonly #leases = new Map<number, Lease>();
  #stream: Stream | null = null;
  #timer: NodeJS.Timeout | null = null;
  #dueAt = 0;
  #running = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Keeps lease `id`, granted at `grantedAt` (performance.now()), until it is lost or dropped; resolves then. */
  keep(id: number, ttlSeconds: number, grantedAt: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        if (this.#leases.delete(id)) resolve();
        if (this.#leases.size === 0) this.#stream?.cancel();
      };
      this.#leases.set(id, { id, ttlMs: ttlSeconds * 1_000, renewedAt: grantedAt, askedAt: 0, end });
      this.#lookAt(grantedAt + (ttlSeconds * 1_000) / RENEWALS_PER_TTL);
      if (!this.#running) void this.#run();
    });
  }

  drop(id: number): void {
    this.#leases.get(id)?.end();
  }

  close(): void {
    for (const lease of [...this.#leases.values()]) lease.end();
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let attempt = 0; this.#leases.size > 0 && !this.#connection.closed.aborted; attempt++) {
      try {
        const answered = await this.#serve(await this.#connection.ready(Number.POSITIVE_INFINITY));
        if (answered) attempt = 0;
      } catch {
        // Closed: the loop's condition ends it.
      }
      const delayMs = backoffMs(attempt, RECONNECT, Math.random());
      await pause(delayMs, undefined, { signal: this.#connection.closed }).catch(() => {});
    }
    this.#running = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** One stream from start to end. Resolves to whether it ever answered. */
  #serve(client: Client): Promise<boolean> {
    if (this.#leases.size === 0) return Promise.resolve(true);
    const { path, requestSerialize, responseDeserialize } = leaseMethods.leaseKeepAlive;
    const stream: Stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, requireLeader());
    this.#stream = stream;
    for (const lease of this.#leases.values()) this.#renew(stream, lease);
    let answered = false;
    return new Promise((resolve) => {
      stream.on('data', (response: v3.LeaseKeepAliveResponse) => {
        answered = true;
        this.#receive(response);
      });
      stream.on('error', () => {}); // 'status' follows
      stream.on('status', () => {
        this.#stream = null;
        for (const lease of this.#leases.values()) lease.askedAt = 0;
        if (this.#leases.size > 0) this.#connection.suspect(client);
        resolve(answered);
      });
    });
  }

  #receive({ ID: id, TTL: ttlSeconds }: v3.LeaseKeepAliveResponse): void {
    const lease = this.#leases.get(id);
    if (lease === undefined) return;
    if (ttlSeconds <= 0) lease.end();
    else if (lease.askedAt !== 0) lease.renewedAt = lease.askedAt;
    lease.askedAt = 0;
  }

  #renew(stream: Stream, lease: Lease): void {
    lease.askedAt = performance.now();
    stream.write({ ID: lease.id });
  }

  /** One timer for all. Looks again at `dueAt` at the latest. */
  #lookAt(dueAt: number): void {
    if (this.#timer !== null && this.#dueAt <= dueAt) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#dueAt = dueAt;
    this.#timer = setTimeout(() => this.#look(), Math.max(LOOK_MS_MIN, dueAt - performance.now()));
  }

  #look(): void {
    this.#timer = null;
    const now = performance.now();
    let dueAt = Number.POSITIVE_INFINITY;
    let stuck = false;
    for (const lease of [...this.#leases.values()]) {
      const endsAt = lease.renewedAt + lease.ttlMs;
      if (now >= endsAt) {
        lease.end();
        continue;
      }
      const pace = lease.ttlMs / RENEWALS_PER_TTL;
      if (lease.askedAt !== 0) stuck ||= now >= lease.askedAt + pace;
      else if (this.#stream !== null && now >= lease.renewedAt + pace) this.#renew(this.#stream, lease);
      const nextAt = (lease.askedAt === 0 ? lease.renewedAt : lease.askedAt) + pace;
      dueAt = Math.min(dueAt, endsAt, nextAt > now ? nextAt : now + pace);
    }
    if (stuck) this.#stream?.cancel();
    if (this.#leases.size > 0) this.#lookAt(dueAt);
  }
}
