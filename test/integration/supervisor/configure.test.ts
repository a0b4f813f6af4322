import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EtcdClient, openEtcd } from '@periplus/etcd';
import { clusterFolder, configureCluster, handOut, type RemoteCluster, secureCluster } from '@periplus/supervisor';
import { startEtcd } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const home = mkdtempSync(join(tmpdir(), 'periplus-configure-'));
const folder = clusterFolder('remote', home);
const cluster: RemoteCluster = {
  folder,
  etcdEndpoints: ['https://etcd-1:2379', 'https://192.0.2.7:2379'],
  apiServerHost: 'api.example',
  ports: { apiServer: 16_443 },
  simulatedNodes: 3,
};
const text = (name: string): string => readFileSync(join(folder.path, name), 'utf8');
const config = (name: string) => JSON.parse(text(`config/${name}.json`));
const certificate = (name: string) => new X509Certificate(text(`pki/${name}.crt`));

beforeAll(async () => {
  await configureCluster(cluster);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

describe('configureCluster', () => {
  it('names the hosts of etcd and of the api-server in their certificates', () => {
    expect(certificate('etcd/server').checkHost('etcd-1')).toBeDefined();
    expect(certificate('etcd/server').checkIP('192.0.2.7')).toBeDefined();
    expect(certificate('apiserver').checkHost('api.example')).toBeDefined();
  });

  it('tells every component where the others are', () => {
    expect(config('api-server')).toMatchObject({ port: 16_443, etcd: { endpoints: cluster.etcdEndpoints } });
    expect(config('scheduler')).toMatchObject({
      apiServers: ['api.example:6444'],
      etcd: { endpoints: cluster.etcdEndpoints },
    });
    expect(config('node-agent').simulate).toEqual({ nodes: 3 });
  });

  it('keeps certificates and keys, and writes the rest anew', async () => {
    const kept = ['pki/apiserver.crt', 'pki/etcd/root.key', 'pki/sa.key', 'pki/encryption-keys.json'];
    const before = kept.map(text);
    expect(text('kubeconfig')).toContain('https://127.0.0.1:16443');
    await configureCluster({ ...cluster, ports: {}, simulatedNodes: 5 });
    expect(kept.map(text)).toEqual(before);
    expect(text('kubeconfig')).toContain('https://127.0.0.1:6443');
    expect(config('node-agent').simulate).toEqual({ nodes: 5 });
  });
});

describe('handOut', () => {
  it('gives each program its configuration, what that names, and nothing else', () => {
    const to = join(home, 'out');
    expect(handOut(folder, to).map((path) => path.slice(to.length + 1))).toEqual([
      ...['etcd', 'api-server', 'controller-manager', 'scheduler', 'node-agent'],
    ]);
    const filesOf = (name: string): string[] =>
      readdirSync(join(to, name), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(join(to, name).length + 1))
        .sort();
    expect(filesOf('etcd')).toEqual(['pki/etcd/ca.crt', 'pki/etcd/server.crt', 'pki/etcd/server.key']);
    expect(filesOf('scheduler')).toEqual([
      'config/scheduler.json',
      ...['pki/ca.crt', 'pki/etcd/ca.crt', 'pki/etcd/scheduler.crt', 'pki/etcd/scheduler.key'],
      ...['pki/scheduler.crt', 'pki/scheduler.key'],
    ]);
    const keys = filesOf('api-server').filter((file) => file.endsWith('.key'));
    expect(keys).toEqual([
      ...['pki/apiserver-kubelet-client.key', 'pki/apiserver.key', 'pki/etcd/api-server.key', 'pki/etcd/probe.key'],
      'pki/sa.key',
    ]);
    expect(filesOf('api-server')).toContain('pki/encryption-keys.json');
    expect(filesOf('node-agent').filter((file) => file.endsWith('.key'))).toEqual(['pki/simulated-nodes.key']);
    const mode = (path: string) => statSync(path).mode & 0o777;
    expect(mode(join(to, 'scheduler/pki/scheduler.key'))).toBe(0o600);
    expect(readFileSync(join(to, 'scheduler/pki/scheduler.key'), 'utf8')).toBe(text('pki/scheduler.key'));
  });
});

describe('secureCluster', () => {
  it('leaves each user what it needs, and may be repeated', async () => {
    await using etcd = await startEtcd({
      members: 3,
      tls: { authority: { cert: text('pki/etcd/ca.crt'), key: text('pki/etcd/ca.key') } },
    });
    const as = (user: string): EtcdClient => {
      const read = (name: string): Buffer => Buffer.from(text(`pki/etcd/${name}`));
      const tls = { ca: read('ca.crt'), cert: read(`${user}.crt`), key: read(`${user}.key`) };
      return openEtcd({ endpoints: etcd.endpoints, tls });
    };
    const key = '/periplus/registry/a';
    const put = (client: EtcdClient, value: string) =>
      client.txn({ compare: [], success: [{ type: 'put', key, value: Buffer.from(value) }], failure: [] });
    await secureCluster(folder, etcd.endpoints);
    const [apiServer, scheduler] = [as('api-server'), as('scheduler')];
    try {
      await put(apiServer, '1');
      await expect(put(scheduler, '2')).rejects.toMatchObject({ reason: 'PermissionDenied' });
      await secureCluster(folder, etcd.endpoints);
      expect((await scheduler.range({ key })).kvs[0]!.value.toString()).toBe('1');
    } finally {
      await Promise.all([apiServer.close(), scheduler.close()]);
    }
  });
});
