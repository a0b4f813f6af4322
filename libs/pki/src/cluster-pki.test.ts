import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureClusterPki } from './cluster-pki.ts';

const folder = mkdtempSync(join(tmpdir(), 'periplus-pki-'));
const options = {
  folder,
  apiServerHosts: ['10.96.0.1', 'api.example'],
  nodes: [{ name: 'node-a', hosts: ['192.0.2.7'] }],
};
const certificate = (name: string) => new X509Certificate(readFileSync(join(folder, `${name}.crt`)));

beforeAll(() => ensureClusterPki(options));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('ensureClusterPki', () => {
  it('names users and groups as Kubernetes reads them', () => {
    expect(certificate('admin').subject).toBe('O=system:masters\nCN=kubernetes-admin');
    expect(certificate('nodes/node-a').subject).toBe('O=system:nodes\nCN=system:node:node-a');
    expect(certificate('etcd/root').subject).toBe('CN=root');
  });

  it('signs with the authority of each side, and only with that', () => {
    expect(certificate('apiserver').verify(certificate('ca').publicKey)).toBe(true);
    expect(certificate('etcd/api-server').verify(certificate('etcd/ca').publicKey)).toBe(true);
    expect(certificate('admin').verify(certificate('etcd/ca').publicKey)).toBe(false);
    expect(certificate('admin').checkIssued(certificate('ca'))).toBe(true);
  });

  it('names every host that the API server is reached at', () => {
    const server = certificate('apiserver');
    expect(server.checkHost('kubernetes.default.svc')).toBeDefined();
    expect(server.checkHost('api.example')).toBeDefined();
    expect(server.checkIP('10.96.0.1')).toBeDefined();
    expect(server.checkIP('10.96.0.2')).toBeUndefined();
  });

  it('keeps private keys to their owner', () => {
    for (const name of ['ca.key', 'sa.key', 'etcd/root.key']) {
      expect(statSync(join(folder, name)).mode & 0o077, name).toBe(0);
    }
  });

  it('leaves what is there and makes what is missing', async () => {
    const admin = readFileSync(join(folder, 'admin.crt'), 'utf8');
    rmSync(join(folder, 'scheduler.key'));
    await ensureClusterPki(options);
    expect(readFileSync(join(folder, 'admin.crt'), 'utf8')).toBe(admin);
    expect(statSync(join(folder, 'scheduler.key')).size).toBeGreaterThan(0);
  });
});
