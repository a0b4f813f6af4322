import { type EtcdClient, openEtcd } from '@periplus/etcd';
import { Keys } from '@periplus/store';
import { startEtcd, startProxy, type TestEtcd } from '@periplus/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Recorder } from '../etcd/recorder.ts';
import { startGate, type TestGate } from './gate-server.ts';

const NODES = 60;
const keys = new Keys('/periplus');
const services = keys.registryRange({ group: '', resource: 'services' });
const value = (bytes: number): Buffer => Buffer.alloc(bytes, 'v');

let etcd: TestEtcd;
let admin: EtcdClient;
let gate: TestGate;

beforeAll(async () => {
  etcd = await startEtcd();
  admin = openEtcd(await etcd.options());
  gate = await startGate(admin);
});
afterAll(async () => {
  await gate?.stop();
  await admin?.close();
  await etcd?.stop();
});

test('many nodes watch the same and their own, over one upstream stream, and miss nothing when the gate is restarted', async () => {
  const nodes = await Promise.all(Array.from({ length: NODES }, (_, at) => gate.node(`n${at}`)));
  const { revision } = await admin.range({ key: services.key });
  const ofServices: number[] = [];
  const ofInbox: number[][] = nodes.map(() => []);
  const write = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      ofServices.push((await admin.put(`${services.key}default/s${i}`, value(1_000))).revision);
      const at = i % NODES;
      ofInbox[at]!.push((await admin.put(keys.inbox(`n${at}`, 'default', `p${i}`), value(500))).revision);
    }
  };
  await write(100);
  const recorders = nodes.map((node, at) => ({
    // From different revisions, so that some start behind what the gate still has.
    services: new Recorder(node, { ...services, startRevision: at % 2 === 0 ? revision + 1 : ofServices[at]! }),
    inbox: new Recorder(node, { ...keys.inboxRange(`n${at}`), startRevision: revision + 1 }),
  }));
  await write(60);
  gate.stopServer();
  await write(60);
  gate = await startGate(admin, gate);
  await write(60);
  await Promise.all(recorders.map(({ services: each }) => each.reach(ofServices.at(-1)!)));
  await Promise.all(recorders.map(({ inbox }, at) => inbox.reach(ofInbox[at]!.at(-1)!)));
  recorders.forEach((each, at) => {
    expect(each.services.revisions).toEqual(at % 2 === 0 ? ofServices : ofServices.slice(at));
    expect(each.inbox.revisions).toEqual(ofInbox[at]);
  });
  await Promise.all(nodes.map((node) => node.close()));
});

test('a node that reads slowly holds nobody up, and gets everything in the end', {
  timeout: 60_000,
}, async () => {
  const proxy = await startProxy(gate.url);
  proxy.faults.delayMs = 2;
  const options = await gate.options('system:node:slow', 'system:nodes');
  const slow = openEtcd({ ...options, endpoints: [proxy.url] });
  const quick = await gate.node('quick');
  const { revision } = await admin.range({ key: services.key });
  const behind = new Recorder(slow, { ...services, startRevision: revision + 1 });
  const inTime = new Recorder(quick, { ...services, startRevision: revision + 1 });
  const written: number[] = [];
  for (let at = 0; at < 100; at++) written.push((await admin.put(`${services.key}big/s`, value(400_000))).revision);
  await inTime.reach(written.at(-1)!, 30_000);
  expect(behind.last).toBeLessThan(written.at(-1)!);
  await behind.reach(written.at(-1)!, 40_000);
  expect(proxy.accepted).toBe(1);
  expect(inTime.revisions).toEqual(written);
  expect(behind.revisions).toEqual(written);
  await slow.close();
  await proxy.close();
});

test('a watch behind a compaction is told so through the gate', async () => {
  const node = await gate.node('compacted');
  const { key } = keys.inboxRange('compacted');
  const first = await admin.put(`${key}a/b`, value(1));
  const second = await admin.put(`${key}a/b`, value(1));
  await admin.compact(second.revision);
  const recorder = new Recorder(node, { ...keys.inboxRange('compacted'), startRevision: first.revision });
  await expect.poll(() => recorder.compacted).toBe(second.revision);
  await expect(node.range({ ...services, revision: first.revision })).rejects.toMatchObject({ reason: 'Compacted' });
});

test('progress that a node asks for is answered, and is true', async () => {
  const node = await gate.node('progress');
  const { revision } = await admin.put(`${services.key}p/1`, value(1));
  const recorder = new Recorder(node, { ...services, startRevision: revision });
  await recorder.reach(revision);
  recorder.handle.requestProgress();
  await expect.poll(() => recorder.progress.length).toBeGreaterThan(0);
  expect(recorder.progress[0]).toBeGreaterThanOrEqual(revision);
});
