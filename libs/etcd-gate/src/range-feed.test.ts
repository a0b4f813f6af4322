import type { EtcdClient, WatchHandle, WatchOptions } from '@periplus/etcd';
import { etcdserverpb as v3 } from '@periplus/proto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RangeFeed, type Subscriber, type Subscription } from './range-feed.ts';

/** An etcd whose watches move only when told to. Revision n has one event, of `bytes` bytes. */
class ScriptedEtcd {
  readonly watches: { options: WatchOptions; next: number; cancelled: boolean }[] = [];
  newest = 1;
  readonly #bytes: number;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  readonly watch = (options: WatchOptions): WatchHandle => {
    const watch = { options, next: options.startRevision, cancelled: false };
    this.watches.push(watch);
    const cancel = (): void => {
      watch.cancelled = true;
    };
    return { requestProgress: () => {}, cancel };
  };

  /** Lets one of the open watches have its next revision, or progress when there is none. False when it could not. */
  step(choice: number): boolean {
    const open = this.watches.filter(({ cancelled }) => !cancelled);
    const watch = open[choice % open.length];
    if (watch === undefined) return false;
    if (watch.next > this.newest) {
      watch.options.onProgress?.(this.newest);
      return false;
    }
    const revision = watch.next++;
    const kv = { key: '/k', value: Buffer.alloc(this.#bytes), createRevision: 1, version: 1, lease: '0' };
    watch.options.onRevision({ revision, events: [{ type: 'put', kv: { ...kv, modRevision: revision } }] });
    return true;
  }

  drain(): void {
    for (let idle = 0, at = 0; idle <= this.watches.length; at++) idle = this.step(at) ? 0 : idle + 1;
  }
}

interface Joined {
  startRevision: number;
  seen: number[];
  subscription: Subscription;
}

function join(feed: RangeFeed, startRevision: number): Joined {
  const seen: number[] = [];
  const subscriber: Subscriber = {
    deliver: ({ revision, events }) => {
      expect(v3.WatchResponse.decode(events).events[0]!.kv!.modRevision).toBe(revision);
      seen.push(revision);
    },
    progressed: (revision) => expect(seen.at(-1) ?? startRevision - 1).toBeLessThanOrEqual(revision),
    compacted: () => expect.unreachable(),
    failed: () => expect.unreachable(),
  };
  const subscription = feed.join(subscriber, startRevision);
  subscription.resume();
  return { startRevision, seen, subscription };
}

const action = fc.oneof(
  fc.record({ do: fc.constant('write' as const), count: fc.integer({ min: 1, max: 20 }) }),
  fc.record({ do: fc.constant('join' as const), back: fc.integer({ min: -2, max: 60 }) }),
  fc.record({ do: fc.constant('leave' as const), who: fc.nat(20) }),
  fc.record({ do: fc.constant('pause' as const), who: fc.nat(20) }),
  fc.record({ do: fc.constant('resume' as const), who: fc.nat(20) }),
  fc.record({ do: fc.constant('step' as const), choice: fc.nat(20), times: fc.integer({ min: 1, max: 15 }) }),
);

test('whoever joins, from whichever revision, gets each revision once and in order until it leaves, pauses or not', () => {
  const property = fc.property(fc.array(action, { maxLength: 60 }), fc.constantFrom(10, 900_000), (actions, bytes) => {
    const etcd = new ScriptedEtcd(bytes);
    let idle = 0;
    const feed = new RangeFeed(etcd as unknown as EtcdClient, { key: '/k', rangeEnd: '/l' }, () => idle++);
    const joined: Joined[] = [];
    const left: Joined[] = [];
    for (const each of actions) {
      if (each.do === 'write') etcd.newest += each.count;
      else if (each.do === 'join') joined.push(join(feed, Math.max(1, etcd.newest - each.back)));
      else if (each.do === 'step') for (let i = 0; i < each.times; i++) etcd.step(each.choice + i);
      else if (each.do === 'pause') joined[each.who % joined.length]?.subscription.pause();
      else if (each.do === 'resume') joined[each.who % joined.length]?.subscription.resume();
      else if (joined.length > 0) left.push(...joined.splice(each.who % joined.length, 1));
      for (const { subscription } of left) subscription.leave();
    }
    for (const { subscription } of joined) subscription.resume();
    etcd.drain();
    for (const { startRevision, seen, subscription } of joined) {
      const count = Math.max(0, etcd.newest - startRevision + 1);
      expect(seen).toEqual(Array.from({ length: count }, (_, at) => startRevision + at));
      expect(subscription.next).toBe(Math.max(startRevision, etcd.newest + 1));
    }
    for (const { startRevision, seen } of left) expect(seen).toEqual(seen.map((_, at) => startRevision + at));
    // All who have caught up share one watch; without anybody there is none.
    expect(etcd.watches.filter(({ cancelled }) => !cancelled).length).toBeLessThanOrEqual(
      joined.length === 0 ? 0 : 1 + joined.length,
    );
    for (const { subscription } of joined) subscription.leave();
    expect(etcd.watches.every(({ cancelled }) => cancelled)).toBe(true);
    expect(idle).toBeGreaterThanOrEqual(joined.length + left.length > 0 ? 1 : 0);
  });
  fc.assert(property);
});

test('those who have caught up share one upstream watch', () => {
  const etcd = new ScriptedEtcd(10);
  const feed = new RangeFeed(etcd as unknown as EtcdClient, { key: '/k', rangeEnd: '/l' }, () => {});
  etcd.newest = 10;
  const late = join(feed, 8);
  const later = join(feed, 9);
  const early = join(feed, 2);
  expect(etcd.watches).toHaveLength(2);
  etcd.drain();
  expect(etcd.watches.filter(({ cancelled }) => !cancelled)).toHaveLength(1);
  expect([late, later, early].map(({ seen }) => seen[0])).toEqual([8, 9, 2]);
  expect([late, later, early].map(({ seen }) => seen.at(-1))).toEqual([10, 10, 10]);
});

test('a compaction ends the watch of everybody who was in the feed', () => {
  const etcd = new ScriptedEtcd(10);
  let idle = 0;
  const feed = new RangeFeed(etcd as unknown as EtcdClient, { key: '/k', rangeEnd: '/l' }, () => idle++);
  const told: number[] = [];
  const subscriber: Subscriber = {
    deliver: () => {},
    progressed: () => {},
    compacted: (revision) => told.push(revision),
    failed: () => {},
  };
  feed.join(subscriber, 5).resume();
  feed.join(subscriber, 6).resume();
  etcd.watches[0]!.options.onCompacted(9);
  expect(told).toEqual([9, 9]);
  expect(idle).toBe(1);
});
