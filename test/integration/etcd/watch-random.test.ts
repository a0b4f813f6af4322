import { type EtcdClient, type Operation, openEtcd, prefixEnd } from '@periplus/etcd';
import { startEtcd, startProxy, type TestEtcd, type TestProxy } from '@periplus/testing';
import { expect, test } from 'vitest';
import { Recorder } from './recorder.ts';
import { describeReleases } from './releases.ts';

const RUN_MS = 8_000;
const KEYS = 40;

/** mulberry32: small, seeded, good enough to vary a test. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Writes transactions until `until`; resolves to how many events each acknowledged revision has below /r/a and /r/. */
async function writeAtRandom(client: EtcdClient, random: (below: number) => number, until: number) {
  const written = new Map<number, { all: number; some: number }>();
  const live = new Set<string>();
  while (Date.now() < until) {
    const keys = new Set(Array.from({ length: 1 + random(12) }, () => `/r/${'abcd'[random(4)]}/${random(KEYS)}`));
    const success = Array.from(keys, (key): Operation => {
      if (live.has(key) && random(4) === 0) return { type: 'delete', key };
      return { type: 'put', key, value: Buffer.alloc(random(5) === 0 ? 60_000 : 200, 'v') };
    });
    const { revision } = await client.txn({ compare: [], success, failure: [] });
    for (const { type, key } of success as { type: string; key: string }[])
      live[type === 'put' ? 'add' : 'delete'](key);
    written.set(revision, { all: keys.size, some: [...keys].filter((key) => key.startsWith('/r/a/')).length });
  }
  return written;
}

async function disturbAtRandom(proxy: TestProxy, random: (below: number) => number, until: number): Promise<number> {
  let faults = 0;
  while (Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, random(400)));
    faults++;
    switch (random(5)) {
      case 0:
        proxy.cut();
        break;
      case 1:
        proxy.faults.delayMs = random(30);
        break;
      case 2:
        proxy.faults.refuse = true;
        proxy.cut();
        setTimeout(() => {
          proxy.faults.refuse = false;
        }, random(300));
        break;
      default:
        proxy.cutAfter(random(400_000));
    }
  }
  proxy.faults.delayMs = 0;
  return faults;
}

describeReleases((options) => {
  test('whatever happens to the connections, every revision arrives whole, once and in order', {
    timeout: 60_000,
  }, async () => {
    const seed = Number(process.env.PERIPLUS_TEST_SEED ?? Date.now() % 1e9);
    const etcd: TestEtcd = await startEtcd(options);
    const proxy = await startProxy(etcd.endpoints[0]!);
    const writer = openEtcd(await etcd.options());
    const watcher = openEtcd({ endpoints: [proxy.url] });
    const { revision } = await writer.range({ key: '/r/' });
    const all = new Recorder(watcher, {
      key: '/r/',
      rangeEnd: prefixEnd('/r/'),
      startRevision: revision + 1,
      prevKv: true,
    });
    const some = new Recorder(watcher, { key: '/r/a/', rangeEnd: prefixEnd('/r/a/'), startRevision: revision + 1 });
    const until = Date.now() + RUN_MS;
    const [written, faults] = await Promise.all([
      writeAtRandom(writer, randomFrom(seed), until),
      disturbAtRandom(proxy, randomFrom(seed + 1), until),
    ]);
    proxy.faults.refuse = false;
    const ofSome = [...written].filter(([, events]) => events.some > 0);
    const hint = `PERIPLUS_TEST_SEED=${seed}`;
    await all.reach([...written.keys()].at(-1)!);
    await some.reach(ofSome.at(-1)![0]);
    const counts = (recorder: Recorder) => recorder.batches.map((batch) => [batch.revision, batch.events.length]);
    expect(counts(all), hint).toEqual([...written].map(([at, events]) => [at, events.all]));
    expect(counts(some), hint).toEqual(ofSome.map(([at, events]) => [at, events.some]));
    expect(faults, hint).toBeGreaterThan(10);
    expect(written.size, hint).toBeGreaterThan(100);
    await Promise.all([writer.close(), watcher.close()]);
    await proxy.close();
    await etcd.stop();
  });
});
