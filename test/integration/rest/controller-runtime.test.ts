import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TestServer } from './test-server.ts';

const run = promisify(execFile);
const PROGRAM = join(import.meta.dirname, '../../clients/controller-runtime');
/** The first build compiles all of client-go. */
const BUILD_MS_MAX = 900_000;
const hasGo = spawnSync('go', ['version']).status === 0;

const MAPS = '/api/v1/namespaces/operated/configmaps';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/operated/deployments';
const LEASE = '/apis/coordination.k8s.io/v1/namespaces/operated/leases/test-operator';
const MERGE = { headers: { 'content-type': 'application/merge-patch+json' } };

describe.skipIf(!hasGo)('an operator built with controller-runtime', () => {
  let server: TestServer;
  let operator: ChildProcess;
  let output = '';
  let log = '';
  beforeAll(async () => {
    server = await TestServer.start();
    const program = join(server.folder, 'operator');
    await run('go', ['build', '-o', program, '.'], { cwd: PROGRAM });
    await server.ask('POST', '/api/v1/namespaces', {
      body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'operated' } },
    });
    operator = spawn(program, [join(server.folder, 'kubeconfig')], { stdio: ['ignore', 'pipe', 'pipe'] });
    operator.stdout!.on('data', (text) => {
      output += text;
    });
    operator.stderr!.on('data', (text) => {
      log += text;
    });
  }, BUILD_MS_MAX);
  afterAll(async () => {
    operator?.kill();
    await server[Symbol.asyncDispose]();
  });

  /** What `path` is once it is as wanted. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  const eventually = async (path: string, wanted: (object: any) => boolean): Promise<any> =>
    vi.waitFor(
      async () => {
        expect(operator.exitCode, log).toBeNull();
        const { json } = await server.ask('GET', path);
        expect(wanted(json), JSON.stringify(json)).toBe(true);
        return json;
      },
      { timeout: 30_000, interval: 50 },
    );
  const make = (name: string, labels: object, data: object) =>
    server.ask('POST', MAPS, { body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data } });

  it('is elected, makes what it owns, and keeps it as it should be', async () => {
    await eventually(LEASE, ({ spec }) => spec?.holderIdentity !== undefined && spec.holderIdentity !== '');
    const { json: configMap } = await make('shop', { web: 'yes' }, { replicas: '2' });
    const deployment = await eventually(`${DEPLOYMENTS}/shop`, ({ spec }) => spec?.replicas === 2);
    expect(deployment.metadata.ownerReferences).toEqual([
      {
        ...{ apiVersion: 'v1', kind: 'ConfigMap', name: 'shop', uid: configMap.metadata.uid },
        ...{ controller: true, blockOwnerDeletion: true },
      },
    ]);
    await server.ask('PATCH', `${MAPS}/shop`, { body: { data: { replicas: '3' } }, ...MERGE });
    await eventually(`${DEPLOYMENTS}/shop`, ({ spec }) => spec.replicas === 3);
    // Somebody interferes.
    await server.ask('PATCH', `${DEPLOYMENTS}/shop`, { body: { spec: { replicas: 9 } }, ...MERGE });
    await eventually(`${DEPLOYMENTS}/shop`, ({ spec }) => spec.replicas === 3);
    await server.ask('DELETE', `${DEPLOYMENTS}/shop`);
    await eventually(`${DEPLOYMENTS}/shop`, ({ spec }) => spec?.replicas === 3);
    await eventually(`${MAPS}/shop`, ({ metadata }) => metadata.annotations?.seen === '1');
  });

  it('cleans up behind what is deleted, and gives its office back when it ends', async () => {
    expect((await server.ask('GET', `${MAPS}/shop`)).json.metadata.finalizers).toEqual(['test.periplus.dev/cleanup']);
    await server.ask('DELETE', `${MAPS}/shop`);
    await eventually(`${MAPS}/shop`, ({ code }) => code === 404);
    await make('done', {}, {});
    if (operator.exitCode === null) await once(operator, 'exit');
    expect(operator.exitCode, log).toBe(0);
    expect(JSON.parse(output)).toEqual({ cleaned: ['shop'] });
    expect((await server.ask('GET', LEASE)).json.spec.holderIdentity).toBe('');
  });
});
