import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestServer } from './test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

const ok = (args: string, input?: string) => server.kubectlOk(args, input);

const resources = (cpu: string) => ({ requests: { cpu }, limits: { cpu: '2', memory: '1Gi' } });
const resized = (cpu: string) =>
  JSON.stringify({ spec: { containers: [{ name: 'main', resources: resources(cpu) }] } });
const pod = (name: string) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [{ name: 'main', image: 'web:1', resources: resources('1') }] },
  });

describe('kubectl changes a part of a pod', () => {
  it('resizes its containers', async () => {
    await ok('create -f -', pod('sized'));
    expect(await ok(`patch pod sized --subresource=resize -p ${resized('500m')}`)).toContain('patched');
    const { metadata, spec } = JSON.parse(await ok('get pod sized -o json'));
    expect([metadata.generation, spec.containers[0].resources.requests.cpu]).toEqual([2, '500m']);
    const { code, stderr } = await server.kubectl(`patch pod sized -p ${resized('1')}`);
    expect([code, stderr]).toEqual([1, expect.stringContaining('pod updates may not change fields other than')]);
    const part = await server.ask('GET', '/api/v1/namespaces/default/pods/sized/resize');
    expect(part.json).toMatchObject({ kind: 'Pod', metadata: { name: 'sized' } });
  });

  it('resizes them within the limits of the namespace', async () => {
    const limits = [{ type: 'Container', max: { cpu: '1' } }];
    await ok('create namespace tight');
    await ok('-n tight create serviceaccount default');
    await ok(
      '-n tight create -f -',
      pod('sized').replace('"cpu":"1"', '"cpu":"500m"').replace('"cpu":"2"', '"cpu":"1"'),
    );
    const range = { apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'max' }, spec: { limits } };
    await ok('-n tight create -f -', JSON.stringify(range));
    const { code, stderr } = await server.kubectl(`-n tight patch pod sized --subresource=resize -p ${resized('1')}`);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('maximum cpu usage per Container is 1, but limit is 2'),
    ]);
  });

  it('adds a container to look into it', async () => {
    await ok('create -f -', pod('looked-into'));
    await ok('debug looked-into --image=tools:1 --container=look --attach=false');
    const { spec } = JSON.parse(await ok('get pod looked-into -o json'));
    expect(spec.ephemeralContainers).toMatchObject([{ name: 'look', image: 'tools:1' }]);
    const path = '/api/v1/namespaces/default/pods/looked-into/ephemeralcontainers';
    const { json } = await server.ask('GET', path);
    json.spec.ephemeralContainers = [];
    const refusal = await server.ask('PUT', path, { body: json });
    expect(refusal.json.message).toContain('existing ephemeral containers "look" may not be removed');
  });

  it('finds no such parts of other kinds', async () => {
    await ok('create configmap plain');
    const path = '/api/v1/namespaces/default/configmaps/plain/resize';
    expect((await server.ask('GET', path)).code).toBe(404);
  });
});
