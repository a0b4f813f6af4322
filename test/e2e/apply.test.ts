import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { PERIPLUS, startCluster, type TestCluster } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const SHOP = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      serviceAccountName: web
      containers: [{ name: web, image: example.com/web }]
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: web, namespace: shop }
---
# Last, though the others are in it.
apiVersion: v1
kind: Namespace
metadata: { name: shop }
`;

describe('periplus apply --atomic', () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await startCluster(1);
  });
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  async function apply(args: string[], input = ''): Promise<{ code: number; stdout: string; stderr: string }> {
    const child = spawn(process.execPath, [PERIPLUS, 'apply', ...args], {
      env: { ...process.env, PERIPLUS_HOME: cluster.home },
    });
    child.stdin.on('error', () => {}).end(input);
    const ended = new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? -1)));
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return { code, stdout, stderr };
  }

  it('changes nothing in a dry run, and says what it would', async () => {
    const { code, stdout } = await apply(['--atomic', '--dry-run', '-f', '-'], SHOP);
    expect(code).toBe(0);
    expect(stdout).toContain('deployment.apps/web serverside-applied (server dry run)\n');
    expect(await cluster.kubectl('get', 'namespaces', '-o', 'name')).not.toContain('shop');
  });

  it('applies a file at one revision, and its pods run', async () => {
    const file = join(cluster.home, 'shop.yaml');
    writeFileSync(file, SHOP);
    const { code, stdout, stderr } = await apply(['--atomic', '-f', file]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(
      ['deployment.apps/web', 'serviceaccount/web', 'namespace/shop']
        .map((name) => `${name} serverside-applied\n`)
        .join(''),
    );
    await cluster.kubectl('-n', 'shop', 'rollout', 'status', 'deploy/web', '--timeout=60s');
    expect(await cluster.kubectl('apply', '--server-side', '-f', file)).toContain(
      'deployment.apps/web serverside-applied',
    );
  });

  it('changes nothing when one object is refused, and says which', async () => {
    const wrong = `${SHOP.replace('replicas: 2', 'replicas: 3')}---
apiVersion: v1
kind: ConfigMap
metadata: { name: Not A Name, namespace: shop }
`;
    const { code, stderr } = await apply(['--atomic', '-f', '-'], wrong);
    expect(code).toBe(1);
    expect(stderr).toContain('periplus: objects[3]: ConfigMap "Not A Name" is invalid: metadata.name:');
    expect(await cluster.kubectl('-n', 'shop', 'get', 'deploy', 'web', '-o', 'jsonpath={.spec.replicas}')).toBe('2');
  });

  it('respects what others manage unless it is told not to', async () => {
    const scaled = SHOP.replace('replicas: 2', 'replicas: 1');
    const refused = await apply(['--atomic', '--field-manager', 'ci', '-f', '-'], scaled);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('conflict with "kubectl": .spec.replicas');
    const forced = await apply(['--atomic', '--field-manager', 'ci', '--force-conflicts', '-f', '-'], scaled);
    expect(forced.code).toBe(0);
    expect(await cluster.kubectl('-n', 'shop', 'get', 'deploy', 'web', '-o', 'jsonpath={.spec.replicas}')).toBe('1');
  });

  it('asks for what it needs', async () => {
    expect((await apply(['-f', '-'], SHOP)).stderr).toContain('kubectl apply does the rest');
    expect((await apply(['--atomic', '-f', '-'], '# nothing')).stderr).toContain('no objects passed to apply');
    expect((await apply(['--atomic', '-f', '-'], 'a: [')).stderr).toContain('error parsing -');
  });
});
