import { setTimeout as sleep } from 'node:timers/promises';
import { type EtcdClient, type EtcdError, openEtcd, type WatchOptions } from '@periplus/etcd';
import { Keys } from '@periplus/store';
import { startEtcd, type TestEtcd } from '@periplus/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { Recorder } from '../etcd/recorder.ts';
import { startGate, type TestGate } from './gate-server.ts';

const keys = new Keys('/periplus');
const denied = { reason: 'PermissionDenied', outcome: 'refused' };
const text = (value: string): Buffer => Buffer.from(value);

let etcd: TestEtcd;
let admin: EtcdClient;
let gate: TestGate;
let node: EtcdClient;

beforeAll(async () => {
  etcd = await startEtcd();
  admin = openEtcd(await etcd.options());
});
beforeEach(async () => {
  gate = await startGate(admin);
  node = await gate.node('one');
});
afterEach(() => gate.stop());
afterAll(async () => {
  await admin?.close();
  await etcd?.stop();
});

const put = async (key: string, value = 'x'): Promise<number> => (await admin.put(key, text(value))).revision;

/** How a watch through the gate begins: its first event or what it was refused with. */
function firstOf(
  client: EtcdClient,
  options: Pick<WatchOptions, 'key' | 'rangeEnd' | 'prevKv'>,
): Promise<number | EtcdError> {
  return new Promise((resolve) => {
    client.watch({
      ...options,
      startRevision: 1,
      onRevision: (batch) => resolve(batch.revision),
      onCompacted: () => expect.unreachable(),
      onFailed: resolve,
    });
  });
}

const visible = {
  'its inbox': keys.inboxRange('one'),
  services: keys.registryRange({ group: '', resource: 'services' }),
  'services of a namespace': keys.registryRange({ group: '', resource: 'services', namespace: 'default' }),
  endpointslices: keys.registryRange({ group: 'discovery.k8s.io', resource: 'endpointslices' }),
  nodes: keys.registryRange({ group: '', resource: 'nodes' }),
  networkpolicies: keys.registryRange({ group: 'networking.k8s.io', resource: 'networkpolicies' }),
};

test.for(Object.entries(visible))('a node lists and watches %s', async ([, range]) => {
  const revision = await put(`${range.key}x`);
  const list = await node.range({ ...range, limit: 10 });
  expect(list.kvs).toMatchObject([{ key: `${range.key}x`, modRevision: revision }]);
  const recorder = new Recorder(node, { ...range, startRevision: revision });
  const next = await put(`${range.key}y`);
  await recorder.reach(next);
  expect(recorder.revisions).toEqual([revision, next]);
  await admin.txn({ compare: [], success: [{ type: 'delete', ...range }], failure: [] });
  await expect.poll(() => recorder.batches.length).toBe(3);
  expect(recorder.batches[2]!.events.map(({ type, kv }) => [type, kv.key])).toEqual([
    ['delete', `${range.key}x`],
    ['delete', `${range.key}y`],
  ]);
});

const invisible: Record<string, { key: string; rangeEnd?: string }> = {
  'the inbox of another node': keys.inboxRange('two'),
  'an inbox whose name only starts like its own': keys.inboxRange('one-more'),
  'all inboxes': keys.inboxRange(),
  secrets: keys.registryRange({ group: '', resource: 'secrets' }),
  'one secret': { key: '/periplus/registry/core/secrets/default/s' },
  'the whole registry': keys.registryRange(),
  'the log': keys.log,
  'the liveness of another node': { key: keys.liveness('two') },
  everything: { key: '\0', rangeEnd: '\0' },
  'everything from its inbox on': { key: keys.inboxRange('one').key, rangeEnd: '\0' },
  'a range that only starts in its inbox': { key: keys.inboxRange('one').key, rangeEnd: '/periplus/nodes/z' },
  'a range that only ends in its inbox': { key: '/periplus/nodes/', rangeEnd: keys.inboxRange('one').rangeEnd },
  'a range between two visible ones': {
    key: keys.registryRange({ group: '', resource: 'nodes' }).key,
    rangeEnd: keys.registryRange({ group: '', resource: 'services' }).rangeEnd,
  },
  'a range that ends before it starts': { key: keys.inboxRange('one').key, rangeEnd: '/' },
  'an empty key': { key: '', rangeEnd: keys.inboxRange('one').rangeEnd },
  'an empty key alone': { key: '' },
};

test.for(Object.entries(invisible))('a node neither reads nor watches %s', async ([, range]) => {
  await put('/periplus/nodes/two/pods/default/p');
  await put('/periplus/registry/core/secrets/default/s');
  await expect(node.range(range)).rejects.toMatchObject(denied);
  expect(await firstOf(node, range)).toMatchObject(denied);
  expect(gate.refusals.length).toBeGreaterThan(1);
});

test('previous values are not to be had', async () => {
  expect(await firstOf(node, { ...keys.inboxRange('one'), prevKv: true })).toMatchObject(denied);
});

test('transactions, nested ones too, and deletions are refused, and change nothing', async () => {
  const inbox = keys.inbox('one', 'default', 'p');
  const liveness = keys.liveness('one');
  const lease = await node.grant(60);
  const attempts = [
    { type: 'range', key: inbox },
    { type: 'range', key: '/periplus/registry/', rangeEnd: '/periplus/registry0' },
    { type: 'put', key: liveness, value: text('x'), lease },
    { type: 'put', key: liveness, value: text('x'), lease, prevKv: true },
    { type: 'put', key: inbox, value: text('x') },
    { type: 'delete', key: liveness },
    { type: 'txn', compare: [], success: [{ type: 'put', key: '/a', value: text('x') }], failure: [] },
  ] as const;
  for (const operation of attempts) {
    await expect(node.txn({ compare: [], success: [operation], failure: [] })).rejects.toMatchObject(denied);
  }
  expect((await admin.range({ key: liveness })).count).toBe(0);
  expect((await admin.range({ key: '/a' })).count).toBe(0);
  await expect(node.compact(1)).rejects.toMatchObject(denied);
});

test('a node puts its own liveness under a lease of its own, and nothing else', async () => {
  const lease = await node.lease(30);
  const own = keys.liveness('one');
  await node.put(own, text('alive'), lease.id);
  expect((await admin.range({ key: own })).kvs).toMatchObject([{ lease: lease.id, value: text('alive') }]);
  await expect(node.put(own, text('x'))).rejects.toMatchObject(denied);
  await expect(node.put(own, Buffer.alloc(2_000), lease.id)).rejects.toMatchObject(denied);
  for (const key of [
    keys.liveness('two'),
    keys.inbox('one', 'default', 'p'),
    '/periplus/registry/core/nodes/one',
    `${own}/x`,
  ]) {
    await expect(node.put(key, text('x'), lease.id)).rejects.toMatchObject(denied);
  }
  await lease.revoke();
  expect((await admin.range({ key: own })).count).toBe(0);
});

test('a lease of somebody else can be neither used, renewed, revoked nor taken over', async () => {
  const other = await gate.node('two');
  const foreign = await other.lease(30);
  const components = await admin.grant(3);
  await admin.put('/periplus/elections/x', text('x'), components);
  for (const lease of [foreign.id, components]) {
    await expect(node.put(keys.liveness('one'), text('x'), lease)).rejects.toMatchObject(denied);
    await expect(node.revoke(lease)).rejects.toMatchObject(denied);
    // To ask for an id that is taken must not make one its owner.
    await expect(node.grant(60, lease)).rejects.toMatchObject({ reason: 'InvalidArgument' });
    await expect(node.revoke(lease)).rejects.toMatchObject(denied);
  }
  const renewing = setInterval(() => void node.renew(components), 200);
  await expect.poll(async () => (await admin.range({ key: '/periplus/elections/x' })).count).toBe(0);
  clearInterval(renewing);
  expect(await node.renew(foreign.id)).toBe(0);
  expect(await other.renew(foreign.id)).toBe(30);
});

test('leases are kept alive through the gate, and after its restart', async () => {
  const lease = await node.lease(5);
  let ended = false;
  void lease.ended.then(() => {
    ended = true;
  });
  await node.put(keys.liveness('one'), text('alive'), lease.id);
  await sleep(6_000);
  gate.stopServer();
  const second = await startGate(admin, gate);
  await sleep(6_000);
  expect(ended).toBe(false);
  expect((await admin.range({ key: keys.liveness('one') })).count).toBe(1);
  const other = await second.node('two');
  expect(await other.renew(lease.id)).toBe(0);
  await lease.revoke();
  await second.stop();
});

test('a node may have so many leases and no more', async () => {
  for (let at = 0; at < 16; at++) await node.grant(60);
  await expect(node.grant(60)).rejects.toMatchObject({ message: expect.stringContaining('too many leases') });
  await expect((await gate.node('two')).grant(10_000)).rejects.toMatchObject({ reason: 'InvalidArgument' });
});

test.for([
  ['somebody without the group', ['system:node:one']],
  ['somebody of another name', ['one', 'system:nodes']],
  ['a node without a name', ['system:node:', 'system:nodes']],
  ['a node whose name is a path', ['system:node:a/b', 'system:nodes']],
  ['a user', ['alice', 'developers']],
] as const)('%s gets nothing', async ([, [commonName, ...organizations]]) => {
  const stranger = await gate.as(commonName, ...organizations);
  await expect(stranger.range(keys.inboxRange('one'))).rejects.toMatchObject({ reason: 'Unauthenticated' });
  await expect(stranger.grant(10)).rejects.toMatchObject({ reason: 'Unauthenticated' });
  await expect(stranger.renew('1')).rejects.toMatchObject({ reason: 'Unauthenticated' });
  expect(await firstOf(stranger, keys.inboxRange('one'))).toMatchObject({ reason: 'Unauthenticated' });
});

test('a simulation with a certificate of system:masters acts for every node, and only for nodes', async () => {
  const simulation = await gate.as('simulation', 'system:masters');
  const lease = await simulation.lease(30);
  for (const name of ['a', 'b']) await simulation.put(keys.liveness(name), text('x'), lease.id);
  await simulation.range(keys.inboxRange());
  await expect(simulation.range(keys.registryRange({ group: '', resource: 'secrets' }))).rejects.toMatchObject(denied);
  await expect(simulation.put('/periplus/registry/core/nodes/a', text('x'), lease.id)).rejects.toMatchObject(denied);
  await lease.revoke();
});
