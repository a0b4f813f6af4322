import { type EtcdClient, EtcdError, openEtcd, prefixEnd } from '@periplus/etcd';
import { type EtcdMember, startEtcd, type TestEtcd } from '@periplus/testing';
import { afterEach, expect, test } from 'vitest';
import { Recorder } from './recorder.ts';
import { describeReleases } from './releases.ts';

const range = (prefix: string) => ({ key: prefix, rangeEnd: prefixEnd(prefix) });

describeReleases((options) => {
  let etcd: TestEtcd;
  let client: EtcdClient;

  const begin = async (members: 1 | 3, timeoutMs = 1_500): Promise<EtcdMember> => {
    etcd = await startEtcd({ ...options, members });
    client = openEtcd({ ...(await etcd.options()), timeoutMs, keepaliveMs: 5_000 });
    return etcd.members[0]!;
  };
  afterEach(async () => {
    await client.close();
    await etcd.stop();
  });

  test.for(['stop', 'kill'] as const)(
    'a watch goes on after its only etcd was ended by %s and started again',
    async (how) => {
      const member = await begin(1);
      const written: number[] = [];
      const put = async () => written.push((await client.put('/a/x', Buffer.from('x'))).revision);
      await put();
      const recorder = new Recorder(client, { ...range('/a/'), startRevision: written[0]! });
      for (let round = 0; round < 2; round++) {
        await put();
        await recorder.reach(written.at(-1)!);
        await member[how]();
        await expect(client.put('/a/x', Buffer.from('lost'))).rejects.toMatchObject({ reason: 'Unavailable' });
        await member.start();
        await etcd.ready();
        await put();
      }
      await recorder.reach(written.at(-1)!);
      expect(recorder.revisions).toEqual(written);
    },
  );

  test('a write to an etcd that is not there is refused, one that was under way is of unknown outcome', async () => {
    const member = await begin(1);
    await client.put('/b', Buffer.from('x'));
    await member.pause();
    const underWay = client.put('/b', Buffer.from('y')).catch((error: unknown) => error);
    expect(await underWay).toMatchObject({ reason: 'DeadlineExceeded', outcome: 'unknown' });
    await member.kill();
    const error = await client.put('/b', Buffer.from('z')).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(EtcdError);
    expect(error).toMatchObject({ reason: 'Unavailable', outcome: 'refused' });
    expect((error as Error).message).toMatch(/ECONNREFUSED/);
  });

  test('a read waits for an etcd that comes back in time', async () => {
    // However busy the machine is.
    const member = await begin(1, 30_000);
    await client.put('/c', Buffer.from('x'));
    await member.kill();
    const read = client.range({ key: '/c' });
    await member.start();
    expect((await read).count).toBe(1);
  });

  test('calls and watches move on when their member of three is killed or frozen', async () => {
    const member = await begin(3);
    const written: number[] = [];
    /** Resolves to how many writes have been acknowledged. */
    const put = async (): Promise<number> => {
      const result = await client.put('/d/x', Buffer.from('x')).catch((error: EtcdError) => error);
      return result instanceof EtcdError ? written.length : written.push(result.revision);
    };
    await put();
    const recorder = new Recorder(client, { ...range('/d/'), startRevision: written[0]! });
    await recorder.reach(written[0]!);
    await member.kill();
    await expect.poll(put).toBeGreaterThan(20);
    await recorder.reach(written.at(-1)!);
    await member.start();
    await etcd.members[1]!.pause();
    const before = written.length;
    await expect.poll(put).toBeGreaterThan(before + 20);
    await recorder.reach(written.at(-1)!);
    await etcd.members[1]!.resume();
    expect(new Set(recorder.revisions).size).toBe(recorder.revisions.length);
    expect(written.filter((revision) => !recorder.revisions.includes(revision))).toEqual([]);
  });

  test('a member that has lost the others is left for one that has not', async () => {
    await begin(3);
    const [first, second, third] = etcd.members;
    const reader = openEtcd({ endpoints: [first!.endpoint, second!.endpoint], timeoutMs: 10_000 });
    await reader.put('/e', Buffer.from('x'));
    await second!.kill();
    await third!.kill();
    const read = reader.range({ key: '/e' }).catch((error: EtcdError) => error);
    await second!.start();
    expect(await read).toMatchObject({ count: 1 });
    await reader.close();
  });
});
