import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigReader } from '@periplus/component';
import { afterAll, describe, expect, it } from 'vitest';
import { shapeConfig } from './config.ts';

const folder = mkdtempSync(join(tmpdir(), 'periplus-api-server-'));
const file = join(folder, 'file.pem');
writeFileSync(file, 'PEM');
afterAll(() => rmSync(folder, { recursive: true }));

const least = {
  etcd: { endpoints: ['http://127.0.0.1:2379'] },
  tls: { cert: file, key: file, clientCa: file },
  serviceAccounts: { signingKey: file },
  encryptionKeys: file,
};
const shaped = (values: object) => {
  const reader = new ConfigReader(values);
  const config = shapeConfig(reader);
  reader.end();
  return config;
};

describe('shapeConfig', () => {
  it('takes the ports and ranges that Kubernetes takes', () => {
    expect(shaped(least)).toMatchObject({
      port: 6443,
      grpcPort: 6444,
      healthPort: null,
      etcd: { prefix: '/periplus', tls: null },
      serviceCidr: '10.96.0.0/16',
      nodePortRange: '30000-32767',
      anonymous: true,
    });
  });

  it('advertises where it listens, and an address of the machine when that is everywhere', () => {
    expect(shaped({ ...least, host: '192.0.2.7' }).advertiseAddress).toBe('192.0.2.7');
    expect(isIP(shaped({ ...least, host: '0.0.0.0' }).advertiseAddress)).not.toBe(0);
    expect(shaped({ ...least, host: '0.0.0.0' }).advertiseAddress).not.toBe('0.0.0.0');
    expect(shaped({ ...least, host: '0.0.0.0', advertiseAddress: '192.0.2.7' }).advertiseAddress).toBe('192.0.2.7');
  });

  it('takes tokens for its issuer, and what it checks clients against for what they check it against', () => {
    const issuer = 'https://kubernetes.default.svc.cluster.local';
    const pem = Buffer.from('PEM');
    expect(shaped(least).serviceAccounts).toMatchObject({ issuer, audiences: [issuer], jwksUri: null, rootCa: pem });
    const serviceAccounts = { signingKey: file, issuer: 'https://me', audiences: ['api', 'other'] };
    expect(shaped({ ...least, serviceAccounts }).serviceAccounts.audiences).toEqual(['api', 'other']);
  });

  it('takes a provider of ID tokens as kube-apiserver takes its options', () => {
    const oidc = { issuerUrl: 'https://issuer', clientId: 'me' };
    expect(shaped(least).oidc).toBeNull();
    expect(shaped({ ...least, oidc }).oidc).toEqual({
      ...{ issuerUrl: 'https://issuer', clientId: 'me', usernameClaim: 'sub', usernamePrefix: 'https://issuer#' },
      ...{ groupsClaim: '', groupsPrefix: '', requiredClaims: {}, signingAlgorithms: ['RS256'], ca: null },
    });
    expect(() => shaped({ ...least, oidc: { ...oidc, issuerUrl: 'http://issuer' } })).toThrow(
      'oidc.issuerUrl: must be an https URL without query and fragment',
    );
    expect(() => shaped({ ...least, oidc: { ...oidc, signingAlgorithms: ['none'] } })).toThrow('not none');
    expect(() => shaped({ ...least, oidc: { ...oidc, requiredClaims: { hd: 1 } } })).toThrow(
      'oidc.requiredClaims: must be an object of strings',
    );
  });

  it('names what is wrong', () => {
    expect(() => shaped({ ...least, tls: { cert: file, key: file } })).toThrow('tls.clientCa: is required');
    expect(() => shaped({ ...least, etcd: { endpoints: ['x'], tls: { ca: file } } })).toThrow(
      'etcd.tls.cert: is required',
    );
    expect(() => shaped({ ...least, prot: 1 })).toThrow('prot: unknown field');
  });
});
