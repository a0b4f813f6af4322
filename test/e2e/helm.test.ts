import { join } from 'node:path';
import { HELLO_ARCHIVE, helm, startCluster, type TestCluster, whyNoTestContainers } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const obstacle = whyNoTestContainers();
if (obstacle) process.stderr.write(`skipped: Helm on real containers, because ${obstacle}\n`);

const CHART = join(import.meta.dirname, 'testdata/chart');

describe.skipIf(obstacle)('Helm, with hooks that run and a test that passes', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startCluster(0);
    await cluster.periplus('image', 'import', HELLO_ARCHIVE);
  });
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  const ok = async (...args: string[]): Promise<string> => {
    const { home, folder } = cluster;
    const { code, stdout, stderr } = await helm(args, { home, kubeconfig: folder.kubeconfig });
    expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: expect.any(String) });
    return stdout;
  };
  const phaseOf = (pod: string): Promise<string> =>
    cluster.kubectl('get', 'pod', pod, '-o', 'jsonpath={.status.phase}');
  const page = (release: string): Promise<string> =>
    cluster.kubectl('get', 'configmap', `${release}-page`, '-o', 'jsonpath={.data.index\\.html}');

  it.each([
    ['on the server', 'ssa', '--server-side=true'],
    ['by the client', 'csa', '--server-side=false'],
  ])('installs, tests, upgrades, rolls back and uninstalls what it applies %s', async (_, release, mode) => {
    const wait = ['--wait', '--timeout', '60s'];
    expect(await ok('install', release, CHART, mode, ...wait, '--set', 'lock.key=brass')).toContain('STATUS: deployed');
    expect(await phaseOf(`${release}-before`)).toBe('Succeeded');
    expect(await ok('test', release)).toMatch(/Phase: +Succeeded/);
    expect(await ok('upgrade', release, CHART, mode, ...wait, '--set', 'color=green')).toContain('REVISION: 2');
    expect(await page(release)).toBe('the page is green\n');
    await ok('rollback', release, '1', ...wait);
    expect(await page(release)).toBe('the page is red\n');
    expect(JSON.parse(await ok('history', release, '-o', 'json'))).toHaveLength(3);
    await ok('uninstall', release, ...wait);
    expect(await cluster.kubectl('get', 'deployments,configmaps,secrets', '-o', 'name')).not.toContain(`/${release}`);
  });
});
