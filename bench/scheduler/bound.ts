import { setTimeout as sleep } from 'node:timers/promises';
import { type EtcdClient, prefixEnd } from '@periplus/etcd';

/** Each look is a count of all that is bound, which etcd walks: not to be begun before most of it is. */
const POLL_MS = 50;
const MS_MAX = 600_000;
/** A pod stands in its node's inbox from the transaction on that binds it. */
const INBOXES = '/periplus/nodes/';

/** Resolves when etcd holds that many bound pods. Rejects when it has not after ten minutes. */
export async function untilBound(etcd: EtcdClient, pods: number): Promise<void> {
  const started = performance.now();
  const inboxes = { key: INBOXES, rangeEnd: prefixEnd(INBOXES), countOnly: true };
  for (;;) {
    const { count } = await etcd.range(inboxes);
    if (count >= pods) return;
    if (performance.now() - started > MS_MAX)
      throw new Error(`${count} of ${pods} pods were bound in ${MS_MAX / 1000} s`);
    await sleep(POLL_MS);
  }
}
