import { setTimeout as pause } from 'node:timers/promises';
import { ClusterCache } from '@periplus/cache';
import { type EtcdClient, openEtcd } from '@periplus/etcd';
import { openStore } from '@periplus/store';
import { startEtcd, startProxy, type TestEtcd, type TestProxy } from '@periplus/testing';
import { expect, it } from 'vitest';
import { randomFrom } from '../store/random.ts';
import { Follower, keys, podOf, pods, silent, stored, writeOf } from './mirror.ts';

const RUN_MS = 8_000;
const NAMES = 50;

type Random = (below: number) => number;

async function writeAtRandom(etcd: EtcdClient, random: Random, until: number): Promise<void> {
  const store = openStore({ etcd, prefix: keys.prefix, cipher: null });
  const known = new Map<string, number>();
  while (Date.now() < until) {
    const names = new Set(Array.from({ length: 1 + random(8) }, () => `p${random(NAMES)}`));
    await Promise.all(
      Array.from(names, async (name) => {
        const revision = known.get(name) ?? 0;
        const deletes = revision > 0 && random(5) === 0;
        const object = deletes ? null : podOf(name, { filler: 'x'.repeat(random(4_000)) });
        const committed = await store.commit(writeOf(name, object, revision));
        known.set(name, deletes ? 0 : committed.revision);
      }),
    );
    if (random(10) === 0) await etcd.put('/elsewhere', Buffer.from('x'));
  }
  await store.close();
}

async function disturb(
  { etcd, direct, proxy }: { etcd: TestEtcd; direct: EtcdClient; proxy: TestProxy },
  random: Random,
  until: number,
): Promise<string[]> {
  const done: string[] = [];
  while (Date.now() < until) {
    await pause(random(500));
    const fault = random(8);
    if (fault === 0) {
      proxy.faults.refuse = true;
      proxy.cut();
      await pause(random(400));
      await direct.compact((await direct.range({ key: keys.revision })).revision);
      proxy.faults.refuse = false;
      done.push('compaction');
    } else if (fault === 1) {
      const member = etcd.members[0]!;
      await member.pause();
      await pause(random(300));
      await member.resume();
      done.push('pause');
    } else if (fault === 2 && !done.includes('black hole')) {
      proxy.blackHole();
      done.push('black hole');
    } else if (fault === 3) {
      proxy.faults.delayMs = random(20);
    } else {
      proxy.cutAfter(random(100_000));
      done.push('cut');
    }
  }
  proxy.faults.delayMs = 0;
  return done;
}

it('converges whatever happens to its connection, and tells every step there', { timeout: 120_000 }, async ({
  annotate,
}) => {
  const seed = Number(process.env.PERIPLUS_TEST_SEED ?? Date.now() % 1e9);
  await annotate(`PERIPLUS_TEST_SEED=${seed}`);
  await using etcd = await startEtcd();
  await using proxy = await startProxy(etcd.endpoints[0]!);
  const direct = openEtcd(await etcd.options());
  const far = openEtcd({ endpoints: [proxy.url] });
  const ending = new AbortController();
  const cache = new ClusterCache({ etcd: far, prefix: keys.prefix, cipher: null, log: silent });
  await cache.start(ending.signal);
  const follower = new Follower(cache);
  const until = Date.now() + RUN_MS;
  const [faults] = await Promise.all([
    disturb({ etcd, direct, proxy }, randomFrom(seed), until),
    writeAtRandom(direct, randomFrom(seed + 1), until),
  ]);
  const { revision, versions } = await stored(direct);
  await cache.waitFor(revision, AbortSignal.timeout(60_000));
  const listed = cache.list(pods).map(({ key, resourceVersion }) => [key.name, resourceVersion]);
  expect(listed, `seed ${seed}`).toEqual(versions);
  expect(follower.versions, `seed ${seed}`).toEqual([...versions].sort());
  expect(follower.changes.length).toBeGreaterThan(100);
  await annotate(`${faults.join(', ')}; ${follower.changes.length} changes`);
  ending.abort();
  await Promise.all([far.close(), direct.close()]);
});
