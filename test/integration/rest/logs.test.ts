import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestServer } from './test-server.ts';

let server: TestServer;
/** The other side of a log request: what a node's own server gets to see, and answers. */
let node: Server;
const seen: { url: string; user: string }[] = [];
/** Lets the container say its last line to who follows it. */
let goOn = (): void => undefined;

beforeAll(async () => {
  server = await TestServer.start();
  const tls = { ca: server.pem('ca.crt'), cert: server.pem('nodes/node-1.crt'), key: server.pem('nodes/node-1.key') };
  node = createServer({ ...tls, requestCert: true, rejectUnauthorized: true }, (request, response) => {
    seen.push({ url: request.url!, user: String((request.socket as TLSSocket).getPeerCertificate().subject.CN) });
    if (request.url!.includes('/starting')) {
      response.writeHead(400).end('container "starting" in pod "web" is waiting to start: ContainerCreating');
      return;
    }
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.write('first\n');
    if (request.url!.includes('follow=true')) goOn = () => response.end('last\n');
    else response.end('last\n');
  });
  await new Promise<void>((resolve) => node.listen(0, '127.0.0.1', resolve));
  await addNode('node-1', (node.address() as AddressInfo).port);
  await addNode('node-2', 1);
  await addPod('web', 'node-1', ['app', 'starting']);
  await addPod('lost', 'node-2', ['app']);
  await addPod('unbound', '', ['app']);
});
afterAll(async () => {
  node.closeAllConnections();
  node.close();
  await server[Symbol.asyncDispose]();
});

const PODS = '/api/v1/namespaces/default/pods';

async function addNode(name: string, port: number): Promise<void> {
  const body = { apiVersion: 'v1', kind: 'Node', metadata: { name } };
  expect((await server.ask('POST', '/api/v1/nodes', { body })).code).toBe(201);
  const status = {
    addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
  };
  const answer = await server.ask('PATCH', `/api/v1/nodes/${name}/status`, {
    body: { status },
    headers: { 'content-type': 'application/merge-patch+json' },
  });
  expect(answer.code).toBe(200);
}

async function addPod(name: string, nodeName: string, containers: string[]): Promise<void> {
  const spec = { ...(nodeName && { nodeName }), containers: containers.map((one) => ({ name: one, image: 'i' })) };
  const body = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec };
  const answer = await server.ask('POST', PODS, { body });
  expect([answer.code, answer.json.message]).toEqual([201, undefined]);
}

describe('the log of a pod', () => {
  it('comes from its node, which knows the api-server by its certificate', async () => {
    const answer = await server.ask('GET', `${PODS}/web/log?container=app&tailLines=5&timestamps=true`);
    expect([answer.code, answer.headers['content-type'], answer.body]).toEqual([200, 'text/plain', 'first\nlast\n']);
    expect(seen.at(-1)).toEqual({
      url: '/containerLogs/default/web/app?timestamps=true&tailLines=5',
      user: 'kube-apiserver-kubelet-client',
    });
  });

  it('is followed as it is written', async () => {
    const response = await server.open('GET', `${PODS}/web/log?container=app&follow=true`);
    const pieces: string[] = [];
    for await (const chunk of response) {
      pieces.push(String(chunk));
      goOn();
    }
    expect(pieces).toEqual(['first\n', 'last\n']);
  });

  it('wants the container named where there are several', async () => {
    const { code, json } = await server.ask('GET', `${PODS}/web/log`);
    expect([code, json.reason]).toEqual([400, 'BadRequest']);
    expect(json.message).toBe('a container name must be specified for pod web, choose one of: [app starting]');
    const other = await server.ask('GET', `${PODS}/web/log?container=no`);
    expect(other.json.message).toBe('container no is not valid for pod web');
  });

  it("passes on the node's refusal", async () => {
    const { code, json } = await server.ask('GET', `${PODS}/web/log?container=starting`);
    expect([code, json.message]).toEqual([
      400,
      'container "starting" in pod "web" is waiting to start: ContainerCreating',
    ]);
  });

  it('is empty before the pod has a node', async () => {
    const nothing = await server.ask('GET', `${PODS}/unbound/log`, { headers: { 'audit-id': 'mine' } });
    expect([nothing.code, nothing.headers['audit-id']]).toEqual([204, 'mine']);
  });

  it('says so when the node cannot be reached', async () => {
    const { code, json } = await server.ask('GET', `${PODS}/lost/log`);
    expect([code, json.reason]).toEqual([500, 'InternalError']);
    expect(json.message).toMatch(/Get "https:\/\/127\.0\.0\.1:1\/containerLogs\/default\/lost\/app": .*ECONNREFUSED/);
  });

  it('checks its options', async () => {
    const { code, json } = await server.ask('GET', `${PODS}/web/log?container=app&tailLines=-1`);
    expect([code, json.message]).toEqual([
      422,
      'PodLogOptions "web" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
    ]);
    expect((await server.ask('GET', `${PODS}/none/log`)).json.message).toBe('pods "none" not found');
  });
});
