import type { Logger } from '@periplus/component';
import { type EtcdClient, openEtcd } from '@periplus/etcd';
import { lead, type ProcessIdentity, thisProcess } from '@periplus/reconcile';
import { startEtcd, type TestEtcd } from '@periplus/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

const KEY = '/test/elections/controller-manager';
const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const LIMIT = { timeout: 15_000, interval: 20 };

let etcd: TestEtcd;
let clients: EtcdClient[];
let stops: (() => Promise<void>)[];
/** Who leads, in order, and who stopped leading. */
let history: string[];

beforeAll(async () => {
  etcd = await startEtcd();
});
afterAll(() => etcd.stop());
beforeEach(() => {
  clients = [];
  stops = [];
  history = [];
});
afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()));
  await Promise.all(clients.map((client) => client.close()));
});

const connect = async (): Promise<EtcdClient> => {
  const client = openEtcd(await etcd.options());
  clients.push(client);
  return client;
};

/** A candidate; the result ends it. */
const candidate = async (
  name: string,
  extra: { identity?: ProcessIdentity; isGone?: (holder: ProcessIdentity) => boolean; leaseSeconds?: number } = {},
): Promise<{ client: EtcdClient; stop: () => Promise<void> }> => {
  const client = await connect();
  const stopping = new AbortController();
  const work = async (signal: AbortSignal): Promise<void> => {
    history.push(`${name} leads`);
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    history.push(`${name} stops`);
  };
  const done = lead({ etcd: client, key: KEY, log: silent, leaseSeconds: 2, ...extra }, work, stopping.signal);
  const stop = (): Promise<void> => {
    stopping.abort();
    return done;
  };
  stops.push(stop);
  return { client, stop };
};
const until = (...expected: string[]) => vi.waitFor(() => expect(history).toEqual(expected), LIMIT);

describe('leader election', () => {
  it('has one leader, and a standby that takes over when it stops, without waiting for the lease', async () => {
    const first = await candidate('a', { leaseSeconds: 600 });
    await until('a leads');
    await candidate('b');
    await first.stop();
    await until('a leads', 'a stops', 'b leads');
  });

  it('replaces a leader that is gone without a word when its lease ends', async () => {
    const first = await candidate('a');
    await until('a leads');
    await candidate('b', { isGone: () => false });
    // Its connection goes: nothing is revoked, nothing is kept alive.
    await first.client.close();
    await until('a leads', 'a stops', 'b leads');
  });

  it('does not wait for the lease of a process of this machine that runs no more', async () => {
    const holder = { ...thisProcess(), pid: 2 ** 22 + 1 };
    const dead = await connect();
    const id = await dead.grant(600);
    await dead.put(KEY, Buffer.from(JSON.stringify(holder)), id);
    await candidate('b');
    await until('b leads');
  });

  it('waits for a process of another machine, whatever its pid', async () => {
    const dead = await connect();
    const id = await dead.grant(600);
    await dead.put(KEY, Buffer.from(JSON.stringify({ machine: 'elsewhere', pid: 2 ** 22 + 1 })), id);
    await candidate('b');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(history).toEqual([]);
    await dead.txn({ compare: [], success: [{ type: 'delete', key: KEY }], failure: [] });
    await until('b leads');
  });

  it('stops a leader at once whose key was taken away', async () => {
    await candidate('a', { leaseSeconds: 600 });
    await until('a leads');
    const other = await connect();
    const { revision } = await other.put(KEY, Buffer.from('{"machine":"elsewhere","pid":1}'));
    expect(revision).toBeGreaterThan(0);
    await until('a leads', 'a stops');
    await other.txn({ compare: [], success: [{ type: 'delete', key: KEY }], failure: [] });
    await until('a leads', 'a stops', 'a leads');
  });

  it('never has two leaders while candidates come and go', async () => {
    const running = new Set<string>();
    for (let round = 0; round < 12; round++) {
      const name = `c${round}`;
      const { stop } = await candidate(name);
      running.add(name);
      if (round % 2 === 1) {
        await vi.waitFor(() => expect(history.at(-1)).toMatch(/leads$/), LIMIT);
        await stop();
      }
    }
    await vi.waitFor(() => expect(history.at(-1)).toMatch(/leads$/), LIMIT);
    history.forEach((line, at) => {
      if (line.endsWith('stops')) expect(history[at - 1]).toBe(line.replace('stops', 'leads'));
    });
  });
});
