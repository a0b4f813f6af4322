import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TestServer } from './test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

const DEPLOYMENT = readFileSync(join(import.meta.dirname, 'testdata/deployment.yaml'), 'utf8');

const ok = (args: string, input?: string) => server.kubectlOk(args, input);

describe('kubectl', () => {
  it('learns the version and the resources', async () => {
    expect(await ok('version')).toContain('Server Version: v1.36.');
    const resources = await ok('api-resources');
    expect(resources).toMatch(/^deployments +deploy +apps\/v1 +true +Deployment$/m);
    expect(resources).toMatch(/^namespaces +ns +v1 +false +Namespace$/m);
  });

  it('applies a file, applies it again, and applies a change of it', async () => {
    expect(await ok('apply -f -', DEPLOYMENT)).toBe('deployment.apps/web created\n');
    expect(await ok('apply -f -', DEPLOYMENT)).toBe('deployment.apps/web unchanged\n');
    expect(await ok('diff -f -', DEPLOYMENT)).toBe('');
    expect(await ok('apply -f -', DEPLOYMENT.replace('nginx:1', 'nginx:2'))).toBe('deployment.apps/web configured\n');
    expect(await ok('get deploy web -o jsonpath={.spec.template.spec.containers[0].image}')).toBe('nginx:2');
  });

  it('is told what it got wrong', async () => {
    const { code, stderr } = await server.kubectl('apply -f -', DEPLOYMENT.replace('replicas', 'replica'));
    expect(code).toBe(1);
    expect(stderr).toContain('strict decoding error: unknown field "spec.replica"');
  });

  it('shows what it shows on Kubernetes', async () => {
    const [head, row] = (await ok('get deployments')).split('\n');
    expect(head).toMatch(/^NAME +READY +UP-TO-DATE +AVAILABLE +AGE$/);
    expect(row).toMatch(/^web +0\/2 +0 +0 +\d+s$/);
    expect((await ok('get deployments -o wide')).split('\n')[0]).toMatch(/CONTAINERS +IMAGES +SELECTOR$/);
    const described = await ok('describe deployment web');
    expect(described).toMatch(/^Name: +web$/m);
    expect(described).toMatch(/^Replicas: +2 desired/m);
  });

  it('scales, labels, annotates, patches and edits images', async () => {
    expect(await ok('scale deploy/web --replicas=5')).toBe('deployment.apps/web scaled\n');
    expect(await ok('get deploy web -o jsonpath={.spec.replicas}')).toBe('5');
    expect(await ok('label deploy web tier=front')).toBe('deployment.apps/web labeled\n');
    expect(await ok('annotate deploy web note=hi')).toBe('deployment.apps/web annotated\n');
    expect(await ok('set image deploy/web web=nginx:3')).toBe('deployment.apps/web image updated\n');
    expect(await ok('set env deploy/web A=b')).toBe('deployment.apps/web env updated\n');
    for (const [type, patch] of [
      ['strategic', '{"spec":{"template":{"spec":{"containers":[{"name":"web","imagePullPolicy":"Never"}]}}}}'],
      ['merge', '{"spec":{"paused":true}}'],
      ['json', '[{"op":"replace","path":"/spec/replicas","value":1}]'],
    ]) {
      expect(await ok(`patch deploy web --type=${type} -p ${patch}`)).toBe('deployment.apps/web patched\n');
    }
    const { spec } = JSON.parse(await ok('get deploy web -o json'));
    expect(spec).toMatchObject({ replicas: 1, paused: true });
    expect(spec.template.spec.containers[0]).toMatchObject({ image: 'nginx:3', imagePullPolicy: 'Never' });
  });

  it('creates what it sends as protobuf', async () => {
    expect(await ok('create namespace proto')).toBe('namespace/proto created\n');
    expect(await ok('-n proto create configmap a --from-literal=k=v')).toBe('configmap/a created\n');
    expect(await ok('-n proto create secret generic s --from-literal=k=v')).toBe('secret/s created\n');
    expect(await ok('-n proto create deployment d --image=i --replicas=0')).toBe('deployment.apps/d created\n');
    expect(await ok('-n proto get deploy d -o jsonpath={.spec.replicas}')).toBe('0');
    expect(await ok('-n proto create role r --verb=get,list --resource=pods')).toContain('created');
    expect(await ok('-n proto create rolebinding r --role=r --user=jane')).toContain('created');
    expect(await ok('-n proto create serviceaccount default')).toContain('created');
    expect(await ok('-n proto run p --image=i')).toBe('pod/p created\n');
    expect(await ok('-n proto expose deploy d --port=80')).toBe('service/d exposed\n');
    expect(await ok('-n proto get secret s -o jsonpath={.data.k}')).toBe('dg==');
  });

  it('acts as a user of whom a role allows something', async () => {
    expect(await ok('-n proto get pods --as=jane')).toContain('NAME');
    const { stderr } = await server.kubectl('-n proto get secrets --as=jane');
    expect(stderr).toContain('secrets is forbidden: User "jane" cannot list resource "secrets"');
  });

  it('waits, and is told when it happens', async () => {
    await ok('create configmap waited');
    const waiting = ok('wait --for=delete configmap/waited --timeout=20s');
    await vi.waitUntil(
      async () => /^apiserver_longrunning_requests 1$/m.test((await server.ask('GET', '/metrics')).body),
      {
        timeout: 20_000,
      },
    );
    await ok('delete configmap waited');
    expect(await waiting).toBe('configmap/waited condition met\n');
  });

  it('deletes by name, by label and as a dry run', async () => {
    await ok('create configmap doomed-1');
    await ok('create configmap doomed-2');
    await ok('label configmap doomed-1 doomed-2 doomed=yes');
    expect(await ok('delete configmap doomed-1 --dry-run=server')).toContain('deleted');
    expect(await ok('get configmap -l doomed -o name')).toBe('configmap/doomed-1\nconfigmap/doomed-2\n');
    await ok('delete configmap -l doomed=yes');
    expect(await ok('get configmap -l doomed -o name')).toBe('');
    expect((await server.kubectl('get configmap doomed-1')).stderr).toBe(
      'Error from server (NotFound): configmaps "doomed-1" not found\n',
    );
  });

  it('issues a token with which somebody else gets in', async () => {
    await ok('create serviceaccount bot');
    const token = (await ok('create token bot --duration=10m')).trim();
    const answer = await server.ask('GET', '/api/v1/namespaces/default/pods', {
      as: '',
      headers: { authorization: `Bearer ${token}` },
    });
    expect(answer.json.message).toContain('User "system:serviceaccount:default:bot" cannot list resource "pods"');
  });
});
