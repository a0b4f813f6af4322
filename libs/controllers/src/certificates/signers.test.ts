import type { CertificateRequest } from '@periplus/pki';
import { expect, it } from 'vitest';
import { SIGNERS } from './signers.ts';

const NOBODY = { dnsNames: [], ipAddresses: [], emailAddresses: [], uris: [] };
const NODE: CertificateRequest = { ...NOBODY, commonName: 'system:node:a', organizations: ['system:nodes'] };
const SERVER = { ...NODE, dnsNames: ['a'] };
const CLIENT = ['digital signature', 'key encipherment', 'client auth'];
const SERVING = ['digital signature', 'key encipherment', 'server auth'];

it.each<[string, Partial<CertificateRequest>, string[], string | undefined]>([
  ['kube-apiserver-client', {}, ['client auth'], undefined],
  ['kube-apiserver-client', {}, CLIENT, undefined],
  ['kube-apiserver-client', {}, ['server auth'], 'invalid usage for client certificate: server auth'],
  ['kube-apiserver-client', {}, ['digital signature'], 'missing required usage for client certificate: client auth'],
  ['kube-apiserver-client-kubelet', NODE, CLIENT, undefined],
  ['kube-apiserver-client-kubelet', NODE, ['client auth', 'digital signature'], undefined],
  [
    'kube-apiserver-client-kubelet',
    NODE,
    ['client auth'],
    'usages did not match [client auth digital signature key encipherment]',
  ],
  [
    'kube-apiserver-client-kubelet',
    { ...NODE, organizations: ['system:nodes', 'more'] },
    CLIENT,
    'subject organization is not system:nodes',
  ],
  [
    'kube-apiserver-client-kubelet',
    { ...NODE, commonName: 'ann' },
    CLIENT,
    'subject common name does not begin with system:node:',
  ],
  ['kube-apiserver-client-kubelet', { ...NODE, dnsNames: ['a'] }, CLIENT, 'DNS subjectAltNames are not allowed'],
  [
    'kube-apiserver-client-kubelet',
    { ...NODE, ipAddresses: ['1.1.1.1'] },
    CLIENT,
    'IP subjectAltNames are not allowed',
  ],
  [
    'kube-apiserver-client-kubelet',
    { ...NODE, emailAddresses: ['a@b'] },
    CLIENT,
    'Email subjectAltNames are not allowed',
  ],
  ['kube-apiserver-client-kubelet', { ...NODE, uris: ['a:b'] }, CLIENT, 'URI subjectAltNames are not allowed'],
  ['kubelet-serving', SERVER, SERVING, undefined],
  ['kubelet-serving', { ...NODE, ipAddresses: ['10.0.0.1'] }, ['digital signature', 'server auth'], undefined],
  ['kubelet-serving', NODE, SERVING, 'DNS or IP subjectAltName is required'],
  ['kubelet-serving', { ...SERVER, uris: ['a:b'] }, SERVING, 'URI subjectAltNames are not allowed'],
  ['kubelet-serving', SERVER, CLIENT, 'usages did not match [digital signature key encipherment server auth]'],
  ['kubelet-serving', { ...SERVER, commonName: 'a' }, SERVING, 'subject common name does not begin with system:node:'],
  ['legacy-unknown', { commonName: 'anybody' }, ['any'], undefined],
])('%s of %o for %o: %s', (signer, request, usages, problem) => {
  const whole = { ...NOBODY, commonName: 'ann', organizations: [], ...request };
  expect(SIGNERS[`kubernetes.io/${signer}`]!(whole, usages)).toBe(problem);
});
