import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { clusterFolder } from './cluster-folder.ts';
import { configure } from './components.ts';
import { remoteSettings } from './settings.ts';

const home = mkdtempSync(join(tmpdir(), 'periplus-components-'));
afterAll(() => rmSync(home, { recursive: true }));

it('passes on what was written by hand, which cannot move what others count on', () => {
  const settings = remoteSettings({ ports: {}, simulatedNodes: 1, address: '192.0.2.7' });
  const oidc = { issuerUrl: 'https://issuer', clientId: 'me' };
  const context = {
    folder: clusterFolder('test', home),
    settings: {
      ...settings,
      apiServer: { oidc, port: 1 },
      scheduler: { profiles: '/etc/periplus/scheduler.yaml', health: { port: 1 } },
    },
    etcdEndpoints: [],
    apiServerHost: '127.0.0.1',
  };
  const written = (name: 'api-server' | 'scheduler') => JSON.parse(readFileSync(configure(name, context), 'utf8'));
  expect(written('api-server')).toMatchObject({ oidc, port: 6443 });
  expect(written('scheduler')).toMatchObject({ profiles: '/etc/periplus/scheduler.yaml', health: { port: 10_259 } });
});
