import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { clusterFolder } from './cluster-folder.ts';
import { etcdServer } from './etcd-server.ts';
import { remoteSettings } from './settings.ts';

const home = mkdtempSync(join(tmpdir(), 'periplus-etcd-server-'));
afterAll(() => rmSync(home, { recursive: true }));

/** Where etcd is and where its files lie differs; every other flag has to be the same. */
const OWN = /^(name|data-dir|(listen|initial)-.*|advertise-.*|(peer-)?(trusted-ca|cert|key)-file)$/;

describe('etcdServer', () => {
  it('has the flags that docker-compose.yml gives to etcd', () => {
    const compose = readFileSync(join(import.meta.dirname, '../../../docker-compose.yml'), 'utf8');
    const variables = [...compose.matchAll(/^ {2}ETCD_(\w+): "?([^"\n]*)"?$/gm)];
    const given = variables.map(([, name, value]) => [name!.toLowerCase().replaceAll('_', '-'), value] as const);
    const folder = clusterFolder('test', home);
    const settings = remoteSettings({ ports: {}, simulatedNodes: 1, address: 'localhost' });
    const flags = etcdServer(folder, settings, 'etcd').args.map((flag) => flag.slice(2).split('=') as [string, string]);
    const common = (all: (readonly [string, string | undefined])[]) =>
      Object.fromEntries(all.filter(([name]) => !OWN.test(name)));
    expect(Object.keys(common(given)).length).toBeGreaterThan(5);
    expect(common(given)).toEqual(common(flags));
  });
});
