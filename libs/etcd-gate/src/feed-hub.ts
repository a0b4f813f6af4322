import type { EtcdClient } from '@periplus/etcd';
import { RangeFeed, type Subscriber, type Subscription } from './range-feed.ts';

/** The feeds of all ranges that somebody watches. */
export class FeedHub {
  readonly #etcd: EtcdClient;
  readonly #feeds = new Map<string, RangeFeed>();

  constructor(etcd: EtcdClient) {
    this.#etcd = etcd;
  }

  /** `rangeEnd` '' for a single key. */
  join(key: string, rangeEnd: string, subscriber: Subscriber, startRevision: number): Subscription {
    const name = JSON.stringify([key, rangeEnd]);
    let feed = this.#feeds.get(name);
    if (feed === undefined) {
      const range = { key, rangeEnd: rangeEnd === '' ? `${key}\0` : rangeEnd };
      feed = new RangeFeed(this.#etcd, range, () => this.#feeds.delete(name));
      this.#feeds.set(name, feed);
    }
    return feed.join(subscriber, startRevision);
  }
}
