import { type EtcdClient, openEtcd, prefixEnd } from '@periplus/etcd';
import { startEtcd, startProxy, type TestEtcd } from '@periplus/testing';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Recorder } from './recorder.ts';
import { describeReleases } from './releases.ts';

const KIB = 1 << 10;
const MIB = 1 << 20;
const range = (prefix: string) => ({ key: prefix, rangeEnd: prefixEnd(prefix) });

describeReleases((options) => {
  let etcd: TestEtcd;
  let client: EtcdClient;
  const open: AsyncDisposable[] = [];

  beforeAll(async () => {
    // Releases whose answers to progress requests can't be believed give their own at this pace.
    etcd = await startEtcd({ ...options, args: ['--experimental-watch-progress-notify-interval', '100ms'] });
    client = openEtcd(await etcd.options());
  });
  afterEach(async () => {
    for (const each of open.splice(0)) await each[Symbol.asyncDispose]();
  });
  afterAll(async () => {
    await client?.close();
    await etcd?.stop();
  });

  /** A client whose connections all pass through a proxy. */
  const throughProxy = async () => {
    const proxy = await startProxy(etcd.endpoints[0]!);
    const proxied = openEtcd({ endpoints: [proxy.url], keepaliveMs: 5_000 });
    open.push({ [Symbol.asyncDispose]: () => proxied.close() }, proxy);
    return { proxy, proxied };
  };

  /** Writes `count` values of `bytes` bytes; resolves to their revisions. */
  const fill = async (prefix: string, count: number, bytes: number): Promise<number[]> => {
    const value = Buffer.alloc(bytes, 'v');
    const revisions: number[] = [];
    for (let at = 0; at < count; at++) revisions.push((await client.put(`${prefix}${at}`, value)).revision);
    return revisions;
  };

  test('a backlog far over the message limit of gRPC arrives whole and in order', async () => {
    const written = await fill('/backlog/', 200, 200 * KIB);
    const recorder = new Recorder(client, { ...range('/backlog/'), startRevision: written[0]! });
    await recorder.reach(written.at(-1)!);
    expect(recorder.revisions).toEqual(written);
    expect(
      recorder.batches.every(({ events }) => events.length === 1 && events[0]!.kv.value.length === 200 * KIB),
    ).toBe(true);
    recorder.handle.cancel();
  });

  test('connections cut in the middle of a backlog lose nothing and repeat nothing', async () => {
    const written = await fill('/cut/', 150, 200 * KIB);
    const { proxy, proxied } = await throughProxy();
    let cuts = 0;
    const recorder = new Recorder(proxied, {
      ...range('/cut/'),
      startRevision: written[0]!,
      onRevision(batch) {
        recorder.batches.push(batch);
        if (recorder.batches.length % 20 === 0 && cuts++ < 6) proxy.cutAfter(300 * KIB);
      },
    });
    await recorder.reach(written.at(-1)!);
    expect(cuts).toBeGreaterThan(5);
    expect(recorder.revisions).toEqual(written);
  });

  test('a transaction of a hundred big values is one batch, though it comes in fragments and the first attempt is cut', async () => {
    const { proxy, proxied } = await throughProxy();
    // The request is within etcd's limit of 1.5 MiB.
    const value = Buffer.alloc(14 * KIB, 'v');
    const success = Array.from({ length: 100 }, (_, at) => ({ type: 'put', key: `/big/${at}`, value }) as const);
    const { revision } = await client.txn({ compare: [], success, failure: [] });
    await client.put('/big/after', Buffer.from('x'));
    proxy.cutAfter(700 * KIB);
    const recorder = new Recorder(proxied, { ...range('/big/'), startRevision: revision, prevKv: true });
    await recorder.reach(revision + 1);
    expect(recorder.revisions).toEqual([revision, revision + 1]);
    expect(recorder.batches[0]!.events.map((event) => event.kv.key)).toEqual(success.map(({ key }) => key));
    // With the previous values it is over 2 MiB: etcd sends fragments.
    const again = await client.txn({ compare: [], success, failure: [] });
    await recorder.reach(again.revision);
    expect(recorder.batches[2]!.events).toHaveLength(100);
    expect(recorder.batches[2]!.events.every((event) => event.prev?.value.length === 14 * KIB)).toBe(true);
    expect(recorder.batches).toHaveLength(3);
  });

  test('a watch behind a compaction is told so, once, and a new listing continues without a gap', async () => {
    const { proxy, proxied } = await throughProxy();
    const written = await fill('/compact/', 5, 10);
    const recorder = new Recorder(proxied, { ...range('/compact/'), startRevision: written[0]! });
    await recorder.reach(written.at(-1)!);
    proxy.faults.refuse = true;
    proxy.cut();
    const missed = await fill('/compact/', 5, 10);
    await client.compact(missed.at(-1)!);
    proxy.faults.refuse = false;
    await expect.poll(() => recorder.compacted).toBe(missed.at(-1)!);
    expect(recorder.revisions).toEqual(written);

    const list = await proxied.range(range('/compact/'));
    expect(list.kvs.map((kv) => kv.modRevision)).toEqual(missed);
    const next = new Recorder(proxied, { ...range('/compact/'), startRevision: list.revision + 1 });
    const after = await fill('/compact/', 3, 10);
    await next.reach(after.at(-1)!);
    expect(next.revisions).toEqual(after);
    expect(recorder.batches).toHaveLength(written.length);
  });

  test('a half-open connection is noticed and left', { timeout: 40_000 }, async () => {
    const { proxy, proxied } = await throughProxy();
    const first = await client.put('/half/1', Buffer.from('1'));
    const recorder = new Recorder(proxied, { ...range('/half/'), startRevision: first.revision });
    await recorder.reach(first.revision);
    proxy.blackHole();
    const second = await client.put('/half/2', Buffer.from('2'));
    await recorder.reach(second.revision);
    expect(recorder.revisions).toEqual([first.revision, second.revision]);
  });

  test('a slow consumer holds etcd back instead of filling memory, and gets everything', async () => {
    const written = await fill('/slow/', 100, 200 * KIB);
    let waitedMs = 0;
    const recorder = new Recorder(client, {
      ...range('/slow/'),
      startRevision: written[0]!,
      onRevision(batch) {
        const until = performance.now() + 5;
        while (performance.now() < until) waitedMs = until;
        recorder.batches.push(batch);
      },
    });
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const sample = setInterval(() => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before - recorder.batches.length * 200 * KIB);
    }, 1);
    await recorder.reach(written.at(-1)!);
    clearInterval(sample);
    expect(waitedMs).toBeGreaterThan(0);
    expect(recorder.revisions).toEqual(written);
    expect(most).toBeLessThan(24 * MIB);
  });

  test('many watches share the stream, each with its own events', async () => {
    const count = 200;
    const { revision } = await client.range({ key: '/many/' });
    const recorders = Array.from(
      { length: count },
      (_, at) => new Recorder(client, { ...range(`/many/${at}/`), startRevision: revision + 1 }),
    );
    for (let at = 0; at < count; at += 20) {
      const success = Array.from(
        { length: 20 },
        (_, i) => ({ type: 'put', key: `/many/${at + i}/x`, value: Buffer.from('x') }) as const,
      );
      await client.txn({ compare: [], success, failure: [] });
    }
    await expect.poll(() => recorders.every(({ batches }) => batches.length === 1)).toBe(true);
    expect(recorders.map(({ batches }) => batches[0]!.events[0]!.kv.key)).toEqual(
      recorders.map((_, at) => `/many/${at}/x`),
    );
    for (const { handle } of recorders) handle.cancel();
  });

  test('a cancelled watch is silent, even within the batch that cancelled it', async () => {
    const written = await fill('/cancel/', 10, 10);
    const recorder = new Recorder(client, {
      ...range('/cancel/'),
      startRevision: written[0]!,
      onRevision(batch) {
        recorder.batches.push(batch);
        recorder.handle.cancel();
      },
    });
    const other = new Recorder(client, { ...range('/cancel/'), startRevision: written[0]! });
    await other.reach(written.at(-1)!);
    expect(recorder.revisions).toEqual([written[0]]);
    other.handle.cancel();
  });

  test('progress never runs ahead of the events, however old the etcd', async () => {
    const backlog = await fill('/progress/', 50, 10_000);
    const acknowledged = [...backlog];
    const delivered = new Set<number>();
    const wrong: string[] = [];
    // Once the stream has answered a request, the next is sent at once: before the backlog of the other watch has come.
    const first = new Recorder(client, { ...range('/progress/'), startRevision: backlog.at(-1)! });
    first.handle.requestProgress();
    await expect.poll(() => first.progress.length).toBeGreaterThan(0);
    const recorder = new Recorder(client, {
      ...range('/progress/'),
      startRevision: backlog[0]!,
      onRevision: (batch) => delivered.add(batch.revision),
      onProgress(reached) {
        recorder.progress.push(reached);
        const missing = acknowledged.filter((each) => each <= reached && !delivered.has(each));
        if (missing.length > 0) wrong.push(`told ${reached} before ${missing}`);
        recorder.handle.requestProgress();
      },
    });
    recorder.handle.requestProgress();
    for (let at = 0; at < 200; at++) acknowledged.push(...(await fill('/progress/', 1, 10_000)));
    const elsewhere = await client.put('/elsewhere', Buffer.from('x'));
    await expect.poll(() => recorder.progress.at(-1)).toBeGreaterThanOrEqual(elsewhere.revision);
    recorder.handle.cancel();
    first.handle.cancel();
    expect(wrong).toEqual([]);
    expect(recorder.progress.length).toBeGreaterThan(0);
    expect(recorder.progress).toEqual(recorder.progress.toSorted((a, b) => a - b));
    expect(delivered.size).toBe(acknowledged.length);
  });
});
