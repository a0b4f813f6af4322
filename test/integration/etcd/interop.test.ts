import { openEtcd, type RevisionBatch } from '@periplus/etcd';
import { eventually, startEtcd } from '@periplus/testing';
import { Etcd3 } from 'etcd3';
import { expect, it } from 'vitest';

/** The npm package etcd3, written by others, is the witness that our client means what etcd means. */
it('writes what another client reads, and sees what another client writes', async () => {
  await using server = await startEtcd();
  const ours = openEtcd({ endpoints: server.endpoints });
  const theirs = new Etcd3({ hosts: server.endpoints });
  try {
    const seen: RevisionBatch[] = [];
    const failed = (): never => {
      throw new Error('the watch failed');
    };
    const onRevision = (batch: RevisionBatch): void => void seen.push(batch);
    const { revision } = await ours.range({ key: 'none' });
    const watch = ours.watch({
      key: 'ours/',
      rangeEnd: 'ours0',
      startRevision: revision + 1,
      onRevision,
      onCompacted: failed,
      onFailed: failed,
    });
    await ours.put('ours/grüße', Buffer.from([0, 255, 10]));
    expect(await theirs.get('ours/grüße').buffer()).toEqual(Buffer.from([0, 255, 10]));
    await theirs.put('ours/second').value('from the other');
    await theirs.delete().key('ours/grüße');
    await eventually(() => expect(seen).toHaveLength(3));
    watch.cancel();
    const events = seen
      .flatMap((batch) => batch.events)
      .map(({ type, kv }) => [type, kv.key, kv.value.toString('latin1')]);
    expect(events).toEqual([
      ['put', 'ours/grüße', '\x00\xff\n'],
      ['put', 'ours/second', 'from the other'],
      ['delete', 'ours/grüße', ''],
    ]);
    const left = await ours.range({ key: 'ours/', rangeEnd: 'ours0' });
    expect(left.kvs.map(({ key, value }) => [key, value.toString()])).toEqual([['ours/second', 'from the other']]);
  } finally {
    theirs.close();
    await ours.close();
  }
});
