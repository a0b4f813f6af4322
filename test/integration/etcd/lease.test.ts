import { type EtcdClient, openEtcd } from '@periplus/etcd';
import { startEtcd, startProxy, type TestEtcd } from '@periplus/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Recorder } from './recorder.ts';
import { describeReleases } from './releases.ts';

/** Long enough for a busy machine to do something with a lease, or to renew it, before it ends. */
const TTL_SECONDS = 5;
/** A renewal that gets no answer is given up after a third of it; then there is as much again to connect and renew. */
const LONG_TTL_SECONDS = 12;

describeReleases((options) => {
  let etcd: TestEtcd;
  let client: EtcdClient;

  beforeAll(async () => {
    etcd = await startEtcd(options);
    client = openEtcd(await etcd.options());
  });
  afterAll(async () => {
    await client?.close();
    await etcd?.stop();
  });

  const exists = async (key: string): Promise<boolean> => (await client.range({ key })).count === 1;

  test('many leases outlive their time over one stream, and end when revoked', async () => {
    const leases = await Promise.all(Array.from({ length: 50 }, () => client.lease(TTL_SECONDS)));
    const ended = new Set<string>();
    for (const { id, ended: end } of leases) void end.then(() => ended.add(id));
    await Promise.all(leases.map(({ id }) => client.put(`/many/${id}`, Buffer.from(id), id)));
    await new Promise((resolve) => setTimeout(resolve, (TTL_SECONDS + 2) * 1_000));
    expect(ended.size).toBe(0);
    expect((await client.range({ key: '/many/', rangeEnd: '/many0', countOnly: true })).count).toBe(50);
    await Promise.all(leases.map((lease) => lease.revoke()));
    expect(ended.size).toBe(50);
    expect((await client.range({ key: '/many/', rangeEnd: '/many0', countOnly: true })).count).toBe(0);
  });

  test('a lease that nobody keeps alive takes its keys with it', async () => {
    const id = await client.grant(TTL_SECONDS);
    await client.put('/granted', Buffer.from('x'), id);
    expect(await exists('/granted')).toBe(true);
    await expect.poll(() => exists('/granted')).toBe(false);
  });

  test('a lease revoked elsewhere is known to have ended', async () => {
    const lease = await client.lease(TTL_SECONDS);
    const other = openEtcd(await etcd.options());
    await client.put('/revoked', Buffer.from('x'), lease.id);
    await other.revoke(lease.id);
    await lease.ended;
    expect(await exists('/revoked')).toBe(false);
    await other.close();
  });

  test('a lease outlives connections that are cut or half-open', async () => {
    const proxy = await startProxy(etcd.endpoints[0]!);
    const proxied = openEtcd({ endpoints: [proxy.url], keepaliveMs: 5_000 });
    const lease = await proxied.lease(LONG_TTL_SECONDS);
    const over = new Promise((resolve) => setTimeout(resolve, (LONG_TTL_SECONDS + 4) * 1_000));
    let ended = false;
    void lease.ended.then(() => {
      ended = true;
    });
    await client.put('/cut', Buffer.from('x'), lease.id);
    for (const fault of [proxy.cut, proxy.blackHole]) {
      const before = proxy.accepted;
      fault();
      await expect.poll(() => proxy.accepted, { timeout: LONG_TTL_SECONDS * 1_000 }).toBeGreaterThan(before);
    }
    await over;
    expect(ended).toBe(false);
    expect(await exists('/cut')).toBe(true);
    await proxied.close();
    await proxy.close();
  });

  test('a lease ends for its holder in its own time when etcd can not be reached', async () => {
    const proxy = await startProxy(etcd.endpoints[0]!);
    const proxied = openEtcd({ endpoints: [proxy.url] });
    const lease = await proxied.lease(TTL_SECONDS);
    const { revision } = await client.put('/unreached', Buffer.from('x'), lease.id);
    const seen: string[] = [];
    void lease.ended.then(() => seen.push('ended for its holder'));
    const gone = new Recorder(client, {
      ...{ key: '/unreached', startRevision: revision + 1 },
      onRevision: () => seen.push('ended for etcd'),
    });
    proxy.faults.refuse = true;
    proxy.cut();
    // Never after etcd has let go.
    await expect.poll(() => seen).toEqual(['ended for its holder', 'ended for etcd']);
    gone.handle.cancel();
    await proxied.close();
    await proxy.close();
  });
});
