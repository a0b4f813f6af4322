import type { CertificateSigningRequest } from '@periplus/api';
import { createAuthority, issueCertificate } from '@periplus/pki';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admin, at, body, refusal, startCore, type TestCore, user } from './core.ts';

const CSR = 'certificates.k8s.io/v1/certificatesigningrequests';
const CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client';
const ann = user('ann', 'devs');

let core: TestCore;
beforeAll(async () => {
  core = await startCore();
  const RBAC = 'rbac.authorization.k8s.io';
  const rule = (verbs: string[], resources: string[], resourceNames?: string[]) => ({
    ...{ verbs, resources, apiGroups: ['certificates.k8s.io'] },
    ...(resourceNames && { resourceNames }),
  });
  const rules = [
    rule(
      ['create', 'get', 'update', 'patch'],
      ['certificatesigningrequests', 'certificatesigningrequests/approval', 'certificatesigningrequests/status'],
    ),
    rule(['approve'], ['signers'], ['example.com/*']),
  ];
  await core.create(`${RBAC}/v1/clusterroles`, '', { metadata: { name: 'ann' }, rules });
  await core.create(`${RBAC}/v1/clusterrolebindings`, '', {
    metadata: { name: 'ann' },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'ann' },
    subjects: [{ apiGroup: RBAC, kind: 'User', name: 'ann' }],
  });
  await core.cache.waitFor(await core.cache.current());
});
afterAll(() => core[Symbol.asyncDispose]());

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Made by `openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /O=devs/CN=ann`. */
const OF_DEVS = [
  'MIHWMH8CAQAwHTENMAsGA1UECgwEZGV2czEMMAoGA1UEAwwDYW5uMFkwEwYHKoZI',
  'zj0CAQYIKoZIzj0DAQcDQgAEaFv3sYmzybhRODRaOZPQ2fXH8ZZ0olXyFn5bSrev',
  '6k0cMKZRh7ZO2ObzT/GrICuDFNiwoAjdmXr8NlT46xsjSqAAMAoGCCqGSM49BAMC',
  'A0cAMEQCIAdwKILSDwZRLHzXZATBB0Gq0UvQKQ7CFIIa0cbV3M9vAiASgCqZf9jF',
  'ZmT6Scfal4KQvw6p19uFwmO9jlwAX3SB+A==',
];
/** With /O=system:masters/CN=ann. */
const OF_MASTERS = [
  'MIHhMIGJAgEAMCcxFzAVBgNVBAoMDnN5c3RlbTptYXN0ZXJzMQwwCgYDVQQDDANh',
  'bm4wWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARu1OQPaG/HhUjnONS1XJDB7o4M',
  '+DVnRPSc/EV/r1zJ6yNs4kgqnRbfcVHyOuCUxj+civKuwpz2ZQXPbKeltW2qoAAw',
  'CgYIKoZIzj0EAwIDRwAwRAIgcN3lu+j1/h6eDIoWfz7QfUEh0S5JULQanfeVaS1o',
  '5AMCIGcGyAkkH7hV67bYzxKPZU8Ewe9Vb264a1jaQ6On1kp3',
];

const pem = (lines: readonly string[]): string =>
  base64(['-----BEGIN CERTIFICATE REQUEST-----', ...lines, '-----END CERTIFICATE REQUEST-----', ''].join('\n'));

/** The same request for somebody else, whose key its sender does not have. */
function forged(): string {
  const der = Buffer.from(OF_DEVS.join(''), 'base64');
  der[der.indexOf('ann')] = 'A'.charCodeAt(0);
  return pem([der.toString('base64')]);
}

async function create(name: string, more: object = {}): Promise<CertificateSigningRequest> {
  const spec = {
    request: pem(OF_DEVS),
    signerName: 'example.com/signer',
    usages: ['client auth'],
    ...more,
  };
  return (await core.create(CSR, '', { metadata: { name }, spec }, ann)).object as CertificateSigningRequest;
}

async function change(name: string, part: string, status: object, who = admin): Promise<CertificateSigningRequest> {
  const object = (await core.get(CSR, '', name)) as CertificateSigningRequest;
  const { object: now } = await core.operations.update(
    core.as(who),
    at(CSR, '', name, part),
    body({ ...object, status }),
  );
  return now as CertificateSigningRequest;
}

const APPROVED = { conditions: [{ type: 'Approved', status: 'True', reason: 'Fine', message: '' }] };

describe('a request for a certificate', () => {
  it('is made by who sends it, whatever he says', async () => {
    const { spec, status } = await create('mine', { username: 'root', groups: ['system:masters'], uid: 'x' });
    expect(spec).toMatchObject({ username: 'ann', groups: ['devs', 'system:authenticated'] });
    expect([spec.uid, status]).toEqual([undefined, {}]);
  });

  it('must be one, by who has its key', async () => {
    const noPem = await refusal(create('bad', { request: base64('hello') }));
    expect([noPem.code, noPem.message]).toEqual([
      422,
      `CertificateSigningRequest.certificates.k8s.io "bad" is invalid: spec.request: Invalid value: "${base64('hello')}": PEM block type must be CERTIFICATE REQUEST`,
    ]);
    const error = await refusal(create('bad', { request: forged() }));
    expect(error.message).toMatch(/spec.request: Invalid value: .*: x509: the signature of the request is wrong$/);
  });

  it('has its approval managed by who approved it, and nothing else', async () => {
    await create('managed');
    const { metadata } = await change('managed', 'approval', APPROVED);
    const approval = metadata.managedFields!.find(({ subresource }) => subresource === 'approval');
    const fields = ['.', 'f:message', 'f:reason', 'f:status', 'f:type'];
    expect(Object.keys(approval!.fieldsV1)).toEqual(['f:status']);
    const condition = approval!.fieldsV1['f:status']!['f:conditions']!['k:{"type":"Approved"}']!;
    expect(Object.keys(condition)).toEqual(expect.arrayContaining(fields));
  });

  it('makes nobody a superuser', async () => {
    const request = pem(OF_MASTERS);
    const error = await refusal(create('super', { signerName: CLIENT_SIGNER, request }));
    expect([error.code, error.message]).toEqual([
      403,
      `certificatesigningrequests.certificates.k8s.io "super" is forbidden: use of ${CLIENT_SIGNER} signer with system:masters group is not allowed`,
    ]);
    await create('elsewhere', { request });
  });

  it('is approved by who may, for this signer', async () => {
    await create('approved');
    const { status } = await change('approved', 'approval', APPROVED, ann);
    expect(status?.conditions?.[0]).toMatchObject({
      type: 'Approved',
      lastUpdateTime: expect.any(String),
      lastTransitionTime: expect.any(String),
    });
    await create('client', { signerName: CLIENT_SIGNER });
    expect((await refusal(change('client', 'approval', APPROVED, ann))).message).toBe(
      `certificatesigningrequests.certificates.k8s.io "client" is forbidden: user not permitted to approve requests with signerName "${CLIENT_SIGNER}"`,
    );
    await change('client', 'approval', APPROVED);
  });

  it('is signed by who may, once', async () => {
    await create('signed');
    await change('signed', 'approval', APPROVED);
    const authority = await createAuthority('test');
    const { cert } = await issueCertificate(authority, { commonName: 'ann', usages: ['client'] });
    const { status } = (await core.get(CSR, '', 'signed')) as CertificateSigningRequest;
    const signed = { ...status, certificate: base64(cert) };
    expect((await refusal(change('signed', 'status', signed, ann))).message).toBe(
      'certificatesigningrequests.certificates.k8s.io "signed" is forbidden: user not permitted to sign requests with signerName "example.com/signer"',
    );
    expect((await change('signed', 'status', signed)).status?.certificate).toBe(base64(cert));
    const other = await issueCertificate(authority, { commonName: 'ann', usages: ['client'] });
    expect((await refusal(change('signed', 'status', { ...signed, certificate: base64(other.cert) }))).message).toMatch(
      /status.certificate: Forbidden: updates may not modify existing certificate content$/,
    );
  });

  it('stays what it was', async () => {
    await create('kept');
    const object = (await core.get(CSR, '', 'kept')) as CertificateSigningRequest;
    const changed = { ...object, spec: { ...object.spec, signerName: 'example.com/other' }, status: APPROVED };
    const { object: now } = await core.operations.update(core.as(admin), at(CSR, '', 'kept'), body(changed));
    expect((now as CertificateSigningRequest).spec.signerName).toBe('example.com/signer');
    expect((now as CertificateSigningRequest).status).toEqual({});
  });
});
