import {
  ETCD_PROBE_USER,
  type EtcdClient,
  type EtcdError,
  etcdProbePermissions,
  openEtcd,
  openEtcdAdmin,
  prefixEnd,
  probeEtcdRoles,
} from '@periplus/etcd';
import { createAuthority, issueCertificate } from '@periplus/pki';
import { startEtcd, type TestEtcd } from '@periplus/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeReleases } from './releases.ts';

const readable = { key: '/open/', rangeEnd: prefixEnd('/open/') };

describeReleases((options) => {
  let etcd: TestEtcd;
  const clients: EtcdClient[] = [];
  const as = async (user: string): Promise<EtcdClient> => {
    const client = openEtcd(await etcd.options(user));
    clients.push(client);
    return client;
  };

  beforeAll(async () => {
    etcd = await startEtcd({
      ...options,
      tls: true,
      users: {
        reader: [{ access: 'read', ...readable }],
        writer: [{ access: 'readwrite', key: '/', rangeEnd: '0' }],
        [ETCD_PROBE_USER]: etcdProbePermissions('/x'),
      },
    });
  });
  afterAll(async () => {
    for (const client of clients) await client.close();
    await etcd?.stop();
  });

  test('a user reads what its role allows and is refused the rest', async () => {
    const [reader, writer] = [await as('reader'), await as('writer')];
    await writer.put('/open/1', Buffer.from('x'));
    expect((await reader.range(readable)).count).toBe(1);
    const refused = { reason: 'PermissionDenied', outcome: 'refused' };
    await expect(reader.range({ key: '/other' })).rejects.toMatchObject(refused);
    await expect(reader.put('/open/1', Buffer.from('y'))).rejects.toMatchObject(refused);
    const txn = {
      compare: [],
      success: [{ type: 'put', key: '/open/1', value: Buffer.from('y') }],
      failure: [],
    } as const;
    await expect(reader.txn(txn)).rejects.toMatchObject(refused);
  });

  test('a watch beyond the role fails for good, others on the stream go on', async () => {
    const [reader, writer] = [await as('reader'), await as('writer')];
    const { revision } = await writer.put('/open/2', Buffer.from('x'));
    const seen: number[] = [];
    const failures: EtcdError[] = [];
    const callbacks = {
      onRevision: (batch: { revision: number }) => void seen.push(batch.revision),
      onCompacted: () => expect.unreachable(),
      onFailed: (error: EtcdError) => void failures.push(error),
    };
    reader.watch({ ...readable, startRevision: revision, ...callbacks });
    reader.watch({ key: '/', rangeEnd: '0', startRevision: revision, ...callbacks });
    reader.watch({ key: '/other', startRevision: revision, ...callbacks });
    await expect.poll(() => failures.length).toBe(2);
    expect(failures.every(({ reason }) => reason === 'PermissionDenied')).toBe(true);
    const next = await writer.put('/open/2', Buffer.from('y'));
    await expect.poll(() => seen).toEqual([revision, next.revision]);
    expect(failures).toHaveLength(2);
  });

  test('a client without a user is refused, one of another authority does not get in', async () => {
    const nobody = await as('nobody');
    await expect(nobody.range({ key: '/open/1' })).rejects.toMatchObject({ outcome: 'refused' });
    const plain = openEtcd({ endpoints: etcd.endpoints.map((url) => url.replace('https', 'http')), timeoutMs: 1_000 });
    clients.push(plain);
    await expect(plain.range({ key: '/open/1' })).rejects.toMatchObject({ reason: 'Unavailable', outcome: 'refused' });
    const stranger = await issueCertificate(await createAuthority('etcd-ca'), {
      commonName: 'root',
      usages: ['client'],
    });
    const tls = {
      ca: Buffer.from(etcd.tls!.authority.cert),
      cert: Buffer.from(stranger.cert),
      key: Buffer.from(stranger.key),
    };
    const strange = openEtcd({ endpoints: etcd.endpoints, tls, timeoutMs: 1_000 });
    clients.push(strange);
    await expect(strange.range({ key: '/open/1' })).rejects.toMatchObject({ reason: 'Unavailable' });
  });

  test('permissions can be narrowed later', async () => {
    const admin = openEtcdAdmin(await etcd.options());
    await admin.ensureUser('narrow', [
      { access: 'readwrite', key: '/a' },
      { access: 'read', key: '/b' },
    ]);
    const narrow = await as('narrow');
    await narrow.put('/a', Buffer.from('x'));
    await narrow.range({ key: '/b' });
    await admin.ensureUser('narrow', [{ access: 'read', key: '/a' }]);
    await narrow.range({ key: '/a' });
    await expect(narrow.put('/a', Buffer.from('x'))).rejects.toMatchObject({ reason: 'PermissionDenied' });
    await expect(narrow.range({ key: '/b' })).rejects.toMatchObject({ reason: 'PermissionDenied' });
    await admin.deleteUser('narrow');
    await admin.deleteUser('narrow');
    await admin.close();
  });

  test('the probe sees that authentication is off', async () => {
    await using open = await startEtcd(options);
    const anybody = openEtcd(await open.options());
    clients.push(anybody);
    const bypasses = await probeEtcdRoles({ privileged: anybody, restricted: anybody, prefix: '/x' });
    expect(bypasses).toContain('no roles at all');
  });

  test('the probe says which ways around the roles are open, and leaves nothing behind', async () => {
    const [privileged, restricted] = [await as('writer'), await as(ETCD_PROBE_USER)];
    const bypasses = await probeEtcdRoles({ privileged, restricted, prefix: '/x' });
    if (etcd.version === '3.4.23') {
      expect(bypasses).toEqual([
        'read in a nested transaction',
        'write in a nested transaction',
        'previous value in a transaction',
        'foreign lease in a transaction',
        'watch without an end',
      ]);
    } else expect(['', 'watch without an end']).toContain(bypasses.join());
    expect((await privileged.range({ key: '/x/', rangeEnd: '/x0' })).kvs).toEqual([]);
  });
});
