import { openEtcd } from '@periplus/etcd';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { TestServer } from './test-server.ts';

const STATUSES = '/api/v1/componentstatuses';
const LIMIT = { timeout: 20_000 };
/** Nothing listens there. */
const AWAY = 'http://127.0.0.1:9';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start(({ etcd }) => ({ etcd: { ...etcd, endpoints: [...etcd.endpoints, AWAY] } }));
});
afterAll(() => server[Symbol.asyncDispose]());

const rows = async (args: string) => {
  const { stdout, stderr } = await server.kubectl(args);
  return {
    stderr,
    rows: stdout
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/ {2,}/)),
  };
};

it('shows kubectl who leads and which members of etcd answer, and warns that the kind is old', async () => {
  const etcd = openEtcd(await server.etcd.options());
  await etcd.put('/periplus/elections/scheduler', Buffer.from('{}'));
  await etcd.close();
  const found = await rows('get componentstatuses');
  expect(found.stderr).toContain('Warning: v1 ComponentStatus is deprecated in v1.19+');
  expect(found.rows).toEqual([
    ['NAME', 'STATUS', 'MESSAGE', 'ERROR'],
    ['controller-manager', 'Unhealthy', 'none is leading'],
    ['scheduler', 'Healthy', 'ok'],
    ['etcd-0', 'Healthy', 'ok'],
    ['etcd-1', 'Unhealthy', expect.stringContaining('127.0.0.1:9')],
  ]);
  expect((await server.ask('GET', STATUSES)).json.metadata).toEqual({});
  expect((await rows('get cs scheduler')).rows[1]).toEqual(['scheduler', 'Healthy', 'ok']);
  expect((await rows('get cs --field-selector=metadata.name=etcd-0 -o name')).rows).toEqual([
    ['componentstatus/etcd-0'],
  ]);
});

it('shows who leads in Leases, which are written when that changes and never else', async () => {
  const etcd = openEtcd(await server.etcd.options());
  const key = '/periplus/elections/controller-manager';
  const path = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager';
  const lease = async () => (await server.ask('GET', path)).json;
  const lead = async (host: string) => {
    const held = await etcd.lease(60);
    await etcd.put(key, Buffer.from(JSON.stringify({ machine: `${host} boot pid:[1]`, pid: 7 })), held.id);
    const holderIdentity = `${host}_${BigInt(held.id).toString(16)}`;
    await vi.waitFor(async () => expect((await lease()).spec).toMatchObject({ holderIdentity }), LIMIT);
    return held;
  };
  const first = await lead('host-a');
  expect((await lease()).spec).toEqual({
    holderIdentity: expect.any(String),
    acquireTime: expect.stringMatching(/^\d{4}-.*\.\d{6}Z$/),
    renewTime: expect.any(String),
    leaseTransitions: 0,
  });
  expect((await rows('get leases -n kube-system kube-controller-manager')).rows[1]?.[1]).toMatch(/^host-a_[0-9a-f]+$/);
  const { metadata } = await lease();
  // The same holder, told again, is no news.
  await etcd.put(key, Buffer.from(JSON.stringify({ machine: 'host-a', pid: 7 })), first.id);
  const second = await lead('host-b');
  const { spec } = await lease();
  expect(spec.leaseTransitions).toBe(1);
  await second.revoke();
  await vi.waitFor(async () => expect((await lease()).spec.holderIdentity).toBeUndefined(), LIMIT);
  expect((await lease()).metadata.uid).toBe(metadata.uid);
  await lead('host-c');
  expect((await lease()).spec.leaseTransitions).toBe(2);
  await etcd.close();
});

it('refuses what cannot be done to a status that nobody keeps', async () => {
  const body = { apiVersion: 'v1', kind: 'ComponentStatus', metadata: { name: 'mine' } };
  expect((await server.ask('POST', STATUSES, { body })).code).toBe(405);
  expect((await server.ask('GET', `${STATUSES}?watch=1`)).code).toBe(405);
  expect((await server.ask('DELETE', `${STATUSES}/scheduler`)).code).toBe(405);
  expect((await server.ask('GET', `${STATUSES}/mine`)).json).toMatchObject({
    code: 404,
    message: 'componentstatuses "mine" not found',
  });
});
