import { X509Certificate } from 'node:crypto';
import { type CertificateSigningRequest, certificateSigningRequest } from '@periplus/api';
import { createAuthority, issueCertificate } from '@periplus/pki';
import { beforeEach, describe, expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { csrCleaner } from './csr-cleaner.ts';

const HOUR_MS = 3_600_000;
const BROKEN = '-----BEGIN CERTIFICATE-----\nMIIBOzCB\n-----END CERTIFICATE-----\n';

let sim: Simulation;
const KEY = { namespace: '', name: 'r' };
const look = () => csrCleaner.reconcile(KEY, sim.cluster.view());

function put(type: string | null, certificate?: string): void {
  const now = new Date(sim.cluster.nowMs).toISOString();
  sim.cluster.put(certificateSigningRequest, {
    ...{ apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', metadata: { name: 'r' }, spec: {} },
    status: {
      ...(type && { conditions: [{ type, status: 'True', lastUpdateTime: now }] }),
      ...(certificate && { certificate: Buffer.from(certificate).toString('base64') }),
    },
  } as unknown as CertificateSigningRequest);
}

beforeEach(() => {
  sim = new Simulation(csrCleaner);
});

describe('a request for a certificate', () => {
  it.each<[string, string | null, string | undefined, number]>([
    ['nobody decided on', null, undefined, 24],
    ['was approved', 'Approved', undefined, 1],
    ['was approved, with a certificate that can not be read', 'Approved', BROKEN, 1],
    ['was denied', 'Denied', undefined, 1],
    ['could not be signed', 'Failed', undefined, 1],
  ])('that %s goes in time', (_what, type, certificate, hours) => {
    put(type, certificate);
    expect(look()).toEqual({ steps: [], lookAgainMs: hours * HOUR_MS });
    sim.advance(hours * HOUR_MS - 1);
    sim.settle();
    expect(sim.cluster.view().get(certificateSigningRequest, '', 'r')).toBeDefined();
    sim.advance(1);
    sim.settle();
    expect(sim.cluster.view().get(certificateSigningRequest, '', 'r')).toBeUndefined();
  });

  it('goes with its certificate', async () => {
    const authority = await createAuthority('test');
    const { cert } = await issueCertificate(authority, { commonName: 'a', usages: ['client'] });
    sim.cluster.nowMs = Date.parse(new X509Certificate(cert).validTo) - 1_000;
    put('Approved', cert);
    expect(look().lookAgainMs).toBe(1_000);
  });
});
