import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { clusterFolder } from './cluster-folder.ts';
import { configure } from './components.ts';
import { remoteSettings } from './settings.ts';

const home = mkdtempSync(join(tmpdir(), 'periplus-components-'));
afterAll(() => rmSync(home, { recursive: true }));

it('passes on what was written by hand for the api-server, which cannot move what others count on', () => {
  const settings = remoteSettings({ ports: {}, simulatedNodes: 1, address: '192.0.2.7' });
  const oidc = { issuerUrl: 'https://issuer', clientId: 'me' };
  const path = configure('api-server', {
    folder: clusterFolder('test', home),
    settings: { ...settings, apiServer: { oidc, port: 1 } },
    etcdEndpoints: [],
    apiServerHost: '127.0.0.1',
  });
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ oidc, port: 6443 });
});
