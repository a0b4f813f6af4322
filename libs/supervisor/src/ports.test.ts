import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { clusterFolder } from './cluster-folder.ts';
import { takeAnyPort, takePort } from './ports.ts';
import { createSettings, newSettings, remoteSettings } from './settings.ts';

const run = promisify(execFile);
const CHOOSER = `
  const { newSettings } = await import(${JSON.stringify(join(import.meta.dirname, 'settings.ts'))});
  const { ports } = await newSettings({ ports: {}, node: { type: 'simulated', count: 1 }, takenPodCidrs: [] });
  console.log(JSON.stringify(ports));
  process.stdin.resume().once('end', () => process.exit());`;
const settings = remoteSettings({ ports: {}, simulatedNodes: 1, address: '192.0.2.7' });

describe.skipIf(process.platform !== 'linux')('ports', () => {
  it('are taken for as long as the process runs, whether a server listens or not', async () => {
    const port = await takeAnyPort(new Set());
    expect(await takePort(port)).toBe(false);
    const request = { node: settings.node, takenPodCidrs: [] };
    await expect(newSettings({ ...request, ports: { apiServer: port } })).rejects.toThrow(
      `port ${port} (apiServer) is taken by another program`,
    );
  });

  it('that somebody listens on are not taken, and may be once he does not', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    expect(await takePort(port)).toBe(false);
    await new Promise((resolve) => server.close(resolve));
    expect(await takePort(port)).toBe(true);
  });

  it('of clusters that start at the same moment differ', async () => {
    const choosers = Array.from({ length: 3 }, () => {
      const choosing = run(process.execPath, ['--input-type=module', '--eval', CHOOSER]);
      const chosen = new Promise<number[]>((resolve, reject) => {
        choosing.child.stdout!.once('data', (text) => resolve(Object.values(JSON.parse(text))));
        choosing.catch(reject);
      });
      return { choosing, chosen };
    });
    const ports = (await Promise.all(choosers.map(({ chosen }) => chosen))).flat();
    for (const { choosing } of choosers) choosing.child.stdin!.end();
    await Promise.all(choosers.map(({ choosing }) => choosing));
    expect(ports).toHaveLength(30);
    expect(new Set(ports).size).toBe(30);
  });
});

it('settings of a new cluster are kept once', () => {
  const home = mkdtempSync(join(tmpdir(), 'periplus-settings-'));
  const folder = clusterFolder('one', home);
  expect(createSettings(folder, settings)).toBe(true);
  expect(createSettings(folder, { ...settings, address: '192.0.2.8' })).toBe(false);
  expect(JSON.parse(readFileSync(folder.settings, 'utf8')).address).toBe('192.0.2.7');
  expect(readdirSync(folder.path)).toEqual(['cluster.json']);
  rmSync(home, { recursive: true });
});
