import { type CertificateSigningRequest, certificateSigningRequest } from '@periplus/api';
import type { CertificateRequest, SigningTerms } from '@periplus/pki';
import { beforeEach, describe, expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import type { AccessQuestion } from './certificate-enquiries.ts';
import { csrApprover } from './csr-approver.ts';
import { csrSigner } from './csr-signer.ts';

const HOUR_MS = 3_600_000;
const LIFE_MS = 365 * 24 * HOUR_MS;
const KEY = { namespace: '', name: 'r' };
const NODE: CertificateRequest = {
  ...{ commonName: 'system:node:a', organizations: ['system:nodes'] },
  ...{ dnsNames: [], ipAddresses: [], emailAddresses: [], uris: [] },
};

/** What is answered in each case; undefined is "not yet". */
let read: CertificateRequest | undefined;
let permissions: Record<string, boolean>;
let signed: string | undefined;
let terms: (SigningTerms & { request: string }) | undefined;
const approver = csrApprover({
  readRequest: () => read,
  mayCreate: (_key, { subresource }: AccessQuestion) => permissions[subresource],
});
const signer = csrSigner(
  {
    readRequest: () => read,
    sign(_key, asked) {
      terms = asked;
      return signed;
    },
  },
  { lifeMs: LIFE_MS },
);
let sim: Simulation;

const put = (spec: Partial<CertificateSigningRequest['spec']>, ...types: string[]): void => {
  sim.cluster.put(certificateSigningRequest, {
    ...{ apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', metadata: { name: 'r' } },
    spec: {
      ...{ request: 'cmVxdWVzdA==', signerName: 'kubernetes.io/kube-apiserver-client-kubelet' },
      ...{ username: 'system:bootstrap:abcdef', usages: ['digital signature', 'client auth'], ...spec },
    },
    status: { conditions: types.map((type) => ({ type, status: 'True' })) },
  });
};
const status = () => sim.cluster.view().get(certificateSigningRequest, '', 'r')!.status!;

beforeEach(() => {
  sim = new Simulation();
  [read, permissions, signed, terms] = [NODE, {}, undefined, undefined];
});

describe('the approver', () => {
  const looks = () => {
    const plan = approver.reconcile(KEY, sim.cluster.view());
    const [command] = plan.steps.flat();
    return { plan, command };
  };

  it.each([
    [
      'a new node',
      'system:bootstrap:abcdef',
      { nodeclient: true },
      'Auto approving kubelet client certificate after SubjectAccessReview.',
    ],
    [
      'a node itself',
      'system:node:a',
      { selfnodeclient: true },
      'Auto approving self kubelet client certificate after SubjectAccessReview.',
    ],
    [
      'a node for itself as for any',
      'system:node:a',
      { selfnodeclient: false, nodeclient: true },
      'Auto approving kubelet client certificate after SubjectAccessReview.',
    ],
  ])('approves what %s may have', (_who, username, may, message) => {
    put({ username });
    permissions = may;
    expect(looks().command).toMatchObject({
      ...{ verb: 'patch', subresource: 'approval', name: 'r' },
      ifResourceVersion: sim.cluster.view().get(certificateSigningRequest, '', 'r')!.metadata.resourceVersion,
      patch: { status: { conditions: [{ type: 'Approved', status: 'True', reason: 'AutoApproved', message }] } },
    });
  });

  it('waits for answers', () => {
    put({});
    expect(looks().plan).toEqual({ steps: [], lookAgainMs: 50 });
    [read, permissions] = [undefined, { nodeclient: true }];
    expect(looks().plan).toEqual({ steps: [], lookAgainMs: 50 });
  });

  it('does not approve what its sender may not have, and asks again later', () => {
    put({ username: 'system:node:b' });
    permissions = { selfnodeclient: true, nodeclient: false };
    expect(looks().plan).toEqual({ steps: [], lookAgainMs: 60_000 });
  });

  it.each<[string, () => void]>([
    ['requests for another signer', () => put({ signerName: 'kubernetes.io/kubelet-serving' })],
    ['what is approved', () => put({}, 'Approved')],
    ['what is denied', () => put({}, 'Denied')],
    [
      'what no node asks for',
      () => {
        put({});
        read = { ...NODE, organizations: ['system:masters'] };
      },
    ],
    ['what a node has no use for', () => put({ usages: ['digital signature', 'client auth', 'cert sign'] })],
  ])('leaves alone %s', (_what, given) => {
    permissions = { nodeclient: true, selfnodeclient: true };
    given();
    expect(looks().plan).toEqual({ steps: [] });
  });
});

describe('the signer', () => {
  const look = () => signer.reconcile(KEY, sim.cluster.view());

  it('waits for answers, and gives the certificate then, once', () => {
    put({}, 'Approved');
    expect(look()).toEqual({ steps: [], lookAgainMs: 50 });
    signed = 'c2lnbmVk';
    sim.execute(look());
    expect(status()).toMatchObject({ certificate: 'c2lnbmVk', conditions: [{ type: 'Approved' }] });
    expect(look()).toEqual({ steps: [] });
  });

  it.each<[string, number | undefined, number]>([
    ['a year, less what is backdated', undefined, LIFE_MS - 300_000],
    ['no longer than that', 2 * 365 * 24 * 3_600, LIFE_MS - 300_000],
    ['as long as was asked for, less what is backdated', 8 * 3_600, 8 * HOUR_MS - 300_000],
    ['all of a short time', 3_600, HOUR_MS],
    ['ten minutes at least', 1, 600_000],
  ])('signs for %s', (_what, expirationSeconds, lifeMs) => {
    put({ ...(expirationSeconds && { expirationSeconds }) }, 'Approved');
    look();
    const { nowMs } = sim.cluster;
    expect(terms).toEqual({
      ...{ request: 'cmVxdWVzdA==', usages: ['digital signature', 'client auth'] },
      ...{ nowMs, notBeforeMs: nowMs - 300_000, notAfterMs: nowMs + lifeMs },
    });
  });

  it('says what is wrong with a request, and leaves it at that', () => {
    put({ usages: ['client auth'] }, 'Approved');
    sim.execute(look());
    expect(status().conditions).toEqual([
      { type: 'Approved', status: 'True' },
      {
        ...{ type: 'Failed', status: 'True', reason: 'SignerValidationFailure' },
        message: 'usages did not match [client auth digital signature key encipherment]',
      },
    ]);
    expect(look()).toEqual({ steps: [] });
    expect(terms).toBeUndefined();
  });

  it.each<[string, Partial<CertificateSigningRequest['spec']>, string[]]>([
    ['nobody approved', {}, []],
    ['was denied', {}, ['Denied']],
    ['failed', {}, ['Approved', 'Failed']],
    ['is for somebody else to sign', { signerName: 'example.com/ours' }, ['Approved']],
  ])('leaves alone what %s', (_what, spec, types) => {
    signed = 'c2lnbmVk';
    put(spec, ...types);
    expect(look()).toEqual({ steps: [] });
  });
});
