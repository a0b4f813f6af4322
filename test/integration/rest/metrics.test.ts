import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestServer } from './test-server.ts';

let server: TestServer;
/** The other side: a node's own server. */
let node: Server;
let uid = '';
const seen: string[] = [];

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const METRICS = '/apis/metrics.k8s.io/v1beta1';
const POD = `${METRICS}/namespaces/default/pods`;
const stats = (usageNanoCores: number, workingSetBytes: number) => ({
  cpu: { time: '2026-01-01T00:00:10Z', usageNanoCores, usageCoreNanoSeconds: 5e9 },
  memory: { time: '2026-01-01T00:00:10Z', workingSetBytes },
});
const summary = () => ({
  windowMs: 10_000,
  node: { nodeName: 'node-1', ...stats(750_000_000, 3 << 20) },
  pods: [
    { podRef: { uid }, containers: [{ name: 'app', ...stats(120_000_000, 2 << 20) }] },
    { podRef: { uid: 'half' }, containers: [{ name: 'app', ...stats(1, 1) }, { name: 'side' }] },
  ],
});

async function addNode(name: string, port: number): Promise<void> {
  const body = { apiVersion: 'v1', kind: 'Node', metadata: { name } };
  expect((await server.ask('POST', '/api/v1/nodes', { body })).code).toBe(201);
  await patchStatus(`/api/v1/nodes/${name}`, {
    addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
  });
}

async function patchStatus(path: string, status: object): Promise<void> {
  const headers = { 'content-type': 'application/merge-patch+json' };
  expect((await server.ask('PATCH', `${path}/status`, { body: { status }, headers })).code).toBe(200);
}

beforeAll(async () => {
  server = await TestServer.start();
  const tls = { ca: server.pem('ca.crt'), cert: server.pem('nodes/node-1.crt'), key: server.pem('nodes/node-1.key') };
  node = createServer({ ...tls, requestCert: true, rejectUnauthorized: true }, (request, response) => {
    seen.push(`${(request.socket as TLSSocket).getPeerCertificate().subject.CN} ${request.url}`);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(summary()));
  });
  await new Promise<void>((resolve) => node.listen(0, '127.0.0.1', resolve));
  await addNode('node-1', (node.address() as AddressInfo).port);
  await addNode('away', 1);
  const spec = { nodeName: 'node-1', containers: [{ name: 'app', image: 'i' }] };
  const body = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec };
  const created = await server.ask('POST', '/api/v1/namespaces/default/pods', { body });
  uid = created.json.metadata.uid;
  await patchStatus('/api/v1/namespaces/default/pods/web', { phase: 'Running' });
});
afterAll(async () => {
  node.closeAllConnections();
  node.close();
  await server[Symbol.asyncDispose]();
});

describe('the metrics API', () => {
  it('asks a node once for all that is asked of it within some seconds', async () => {
    const answers = await Promise.all([`${METRICS}/nodes`, POD, `${POD}/web`].map((path) => server.ask('GET', path)));
    expect(answers.map(({ code }) => code)).toEqual([200, 200, 200]);
    expect(seen).toEqual(['kube-apiserver-kubelet-client /stats/summary']);
  });

  it('lists the nodes that answer, and says when they measured', async () => {
    const { json } = await server.ask('GET', `${METRICS}/nodes`);
    expect(json).toMatchObject({ kind: 'NodeMetricsList', apiVersion: 'metrics.k8s.io/v1beta1' });
    expect(json.items).toMatchObject([
      {
        metadata: { name: 'node-1' },
        ...{ timestamp: '2026-01-01T00:00:10Z', window: '10s', usage: { cpu: '750m', memory: '3Mi' } },
      },
    ]);
  });

  it('shows pods as metrics-server does, as a table too', async () => {
    const { json } = await server.ask('GET', POD);
    expect(json.items.map((one: { containers: unknown }) => one.containers)).toEqual([
      [{ name: 'app', usage: { cpu: '120m', memory: '2Mi' } }],
    ]);
    const table = (await server.ask('GET', POD, { headers: { accept: TABLE } })).json;
    expect(table.columnDefinitions.map(({ name }: { name: string }) => name)).toEqual([
      ...['Name', 'cpu', 'memory', 'Window'],
    ]);
    expect(table.rows[0].cells).toEqual(['web', '120m', '2Mi', '10s']);
  });

  it('is for reading alone', async () => {
    const { code, json } = await server.ask('DELETE', `${POD}/web`);
    expect([code, json.reason]).toEqual([405, 'MethodNotAllowed']);
    expect((await server.ask('GET', `${POD}?watch=true`)).code).toBe(405);
  });
});
