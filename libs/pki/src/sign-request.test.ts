import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requestCertificate } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuthority, type KeyPair } from './certificate.ts';
import { readCertificateRequest } from './certificate-request.ts';
import { signRequest } from './sign-request.ts';

const folder = mkdtempSync(join(tmpdir(), 'periplus-requests-'));
const DAY_MS = 86_400_000;
const nowMs = Math.floor(Date.now() / 1_000) * 1_000;
const TERMS = { nowMs, notBeforeMs: nowMs - 300_000, notAfterMs: nowMs + DAY_MS, usages: ['client auth'] };
let authority: KeyPair;

const request = (...of: Parameters<typeof requestCertificate>): string => requestCertificate(...of).request;

beforeAll(async () => {
  authority = await createAuthority('test');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('readCertificateRequest', () => {
  it('reads who the request is for', async () => {
    const names = 'DNS:a.example,IP:10.0.0.1,IP:fd00::1,email:a@example.com,URI:https://a.example/b';
    expect(await readCertificateRequest(request('/O=one/O=two/CN=ann', names))).toEqual({
      commonName: 'ann',
      organizations: ['one', 'two'],
      dnsNames: ['a.example'],
      ipAddresses: ['10.0.0.1', 'fd00::1'],
      emailAddresses: ['a@example.com'],
      uris: ['https://a.example/b'],
    });
  });

  it('refuses one whose signature is not by its key', async () => {
    const [one, other] = [request('/CN=ann'), request('/CN=bob')];
    const octets = (pem: string): Buffer => Buffer.from(pem.replaceAll(/-----.*-----|\n/g, ''), 'base64');
    const forged = Buffer.concat([octets(one).subarray(0, -20), octets(other).subarray(-20)]);
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${forged.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
    await expect(readCertificateRequest(pem)).rejects.toThrow();
  });
});

describe('signRequest', () => {
  it.each(['ec', 'rsa'] as const)('gives a certificate for the %s key of the request', async (algorithm) => {
    const pem = request('/O=devs/CN=ann', 'DNS:a.example,IP:10.0.0.1,RID:1.2.3.4', algorithm);
    const signed = await signRequest(authority, pem, TERMS);
    const certificate = new X509Certificate(signed);
    expect(certificate.checkIssued(new X509Certificate(authority.cert))).toBe(true);
    expect(certificate.verify(new X509Certificate(authority.cert).publicKey)).toBe(true);
    expect(certificate).toMatchObject({ subject: 'O=devs\nCN=ann', ca: false, keyUsage: ['1.3.6.1.5.5.7.3.2'] });
    expect(certificate.subjectAltName).toBe('DNS:a.example, IP Address:10.0.0.1');
    expect([certificate.validFromDate, certificate.validToDate].map(Number)).toEqual([
      TERMS.notBeforeMs,
      TERMS.notAfterMs,
    ]);
  });

  it.each([
    ['an RSA key', () => generateKeyPairSync('rsa', { modulusLength: 2048 }), 'sha256WithRSAEncryption'],
    ['a key of P-384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' }), 'ecdsa-with-SHA384'],
  ] as const)('signs with %s of an authority from elsewhere', async (_what, generate, algorithm) => {
    const [key, cert] = [join(folder, 'ca.key'), join(folder, 'ca.crt')];
    writeFileSync(key, generate().privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    execFileSync('openssl', [
      'req',
      '-x509',
      '-new',
      '-key',
      key,
      '-subj',
      '/CN=elsewhere',
      '-days',
      '2',
      '-out',
      cert,
    ]);
    const elsewhere = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
    writeFileSync(join(folder, 'leaf.crt'), await signRequest(elsewhere, request('/CN=ann'), TERMS));
    const openssl = (...args: string[]): string => execFileSync('openssl', args, { encoding: 'utf8', cwd: folder });
    expect(openssl('verify', '-CAfile', 'ca.crt', 'leaf.crt')).toContain('OK');
    expect(openssl('x509', '-in', 'leaf.crt', '-noout', '-text')).toContain(`Signature Algorithm: ${algorithm}`);
  });

  it.each([
    ['/O=system:nodes/CN=kubernetes-admin/CN=system:node:a', 'O=system:nodes\nCN=system:node:a'],
    ['/CN=kubernetes-admin+O=system:nodes/CN=system:node:a', 'O=system:nodes\nCN=system:node:a'],
    ['/CN=one/OU=b/CN=two+L=c', 'OU=b\nL=c\nCN=two'],
  ])('gives who is named %s one name, the one that was read', async (subject, expected) => {
    const pem = request(subject);
    const { commonName } = await readCertificateRequest(pem);
    expect(new X509Certificate(await signRequest(authority, pem, TERMS)).subject).toBe(expected);
    expect(expected).toMatch(new RegExp(`CN=${commonName}$`));
  });

  it('says what the key is for', async () => {
    const usages = ['digital signature', 'key encipherment', 'server auth', 'client auth', 'any'];
    writeFileSync(join(folder, 'leaf.crt'), await signRequest(authority, request('/CN=ann'), { ...TERMS, usages }));
    const text = execFileSync('openssl', ['x509', '-in', join(folder, 'leaf.crt'), '-noout', '-text'], {
      encoding: 'utf8',
    });
    expect(text).toMatch(/Key Usage: critical\s+Digital Signature, Key Encipherment\n/);
    expect(text).toMatch(/Any Extended Key Usage, TLS Web Server Authentication, TLS Web Client Authentication\n/);
    const unknown = ['flying', 'constructor'];
    await expect(signRequest(authority, request('/CN=ann'), { ...TERMS, usages: unknown })).rejects.toThrow(
      'unrecognized usage values: ["flying","constructor"]',
    );
  });

  it('lets no certificate outlive its authority, and signs nothing after its end', async () => {
    const endMs = new X509Certificate(authority.cert).validToDate.getTime();
    const signed = await signRequest(authority, request('/CN=ann'), { ...TERMS, notAfterMs: endMs + 1_000 });
    expect(new X509Certificate(signed).validToDate.getTime()).toBe(endMs);
    const after = { ...TERMS, nowMs: endMs, notBeforeMs: endMs - 1_000, notAfterMs: endMs + 1_000 };
    await expect(signRequest(authority, request('/CN=ann'), after)).rejects.toThrow(
      'refusing to sign a certificate that expired in the past',
    );
    const later = { ...after, nowMs: endMs + 1_000, notBeforeMs: endMs };
    await expect(signRequest(authority, request('/CN=ann'), later)).rejects.toThrow('the signer has expired');
  });
});
