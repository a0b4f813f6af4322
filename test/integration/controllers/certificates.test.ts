import { X509Certificate } from 'node:crypto';
import {
  type CertificateSigningRequest,
  certificateSigningRequest,
  clusterRoleBinding,
  type Kind,
  pod,
} from '@periplus/api';
import { openCommandClient, openResourceClient } from '@periplus/client';
import { requestCertificate } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, eventually, runControllers, startControlPlane } from './control-plane.ts';

const RBAC = 'rbac.authorization.k8s.io';
const NODE_CLIENT = 'kubernetes.io/kube-apiserver-client-kubelet';
const CSR = certificateSigningRequest as unknown as Kind;
const NODE = '/O=system:nodes/CN=system:node:fresh';

let plane: ControlPlane;
let controllers: AsyncDisposable;
beforeAll(async () => {
  plane = await startControlPlane();
  controllers = await runControllers(plane);
});
afterAll(async () => {
  await controllers[Symbol.asyncDispose]();
  await plane[Symbol.asyncDispose]();
});

type Wanted = Omit<CertificateSigningRequest['spec'], 'request'>;
const asking = (name: string, request: string, spec: Wanted): CertificateSigningRequest => ({
  ...{ apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', metadata: { name } },
  spec: { request: Buffer.from(request).toString('base64'), usages: ['client auth'], ...spec },
});
const approve = (name: string): Promise<void> =>
  plane.patch(
    CSR,
    '',
    name,
    { status: { conditions: [{ type: 'Approved', status: 'True', reason: 'Test' }] } },
    'approval',
  );
const status = (name: string): CertificateSigningRequest['status'] =>
  plane.get(certificateSigningRequest, '', name)?.status as CertificateSigningRequest['status'];
const issued = async (name: string): Promise<X509Certificate> => {
  await eventually(() => expect(status(name)?.certificate).toBeTruthy());
  return new X509Certificate(Buffer.from(status(name)!.certificate!, 'base64'));
};

describe('a request for a certificate', () => {
  it('gets one once it is approved, with which its user logs in', async () => {
    const { request, key } = requestCertificate('/O=devs/CN=ann', '', 'rsa');
    const signerName = 'kubernetes.io/kube-apiserver-client';
    await plane.create(certificateSigningRequest, asking('ann', request, { signerName, expirationSeconds: 3_600 }));
    await approve('ann');
    const certificate = await issued('ann');
    expect(certificate.subject).toBe('O=devs\nCN=ann');
    expect(Number(certificate.validToDate) - Number(certificate.validFromDate)).toBe(3_900_000);
    const { targets, tls } = await plane.connection('nobody');
    const resources = openResourceClient({
      targets,
      tls: { ca: tls.ca, cert: Buffer.from(certificate.toString()), key: Buffer.from(key) },
    });
    await expect(resources.list(pod, 'default')).rejects.toThrow('User "ann" cannot list resource "pods"');
    resources.close();
  });

  it('is told what is wrong with it', async () => {
    const { request } = requestCertificate('/CN=server', 'DNS:server');
    const spec: Wanted = { signerName: 'kubernetes.io/kubelet-serving', usages: ['digital signature', 'server auth'] };
    await plane.create(certificateSigningRequest, asking('server', request, spec));
    await approve('server');
    await eventually(() =>
      expect(status('server')?.conditions).toContainEqual(
        expect.objectContaining({
          ...{ type: 'Failed', status: 'True', reason: 'SignerValidationFailure' },
          message: 'subject organization is not system:nodes',
        }),
      ),
    );
    expect(status('server')?.certificate).toBeUndefined();
  });

  it('of a node that joins is approved by itself when it may be, and so is its renewal', async () => {
    const { request, key } = requestCertificate(NODE);
    const spec: Wanted = { signerName: NODE_CLIENT, usages: ['digital signature', 'client auth'] };
    const joining = openCommandClient(await plane.connection('system:bootstrap:abcdef', 'system:bootstrappers'));
    const bind = (role: string, group: string): Promise<void> =>
      plane.create(clusterRoleBinding, {
        ...{ apiVersion: `${RBAC}/v1`, kind: 'ClusterRoleBinding', metadata: { name: `${group}-${role}` } },
        roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role },
        subjects: [{ kind: 'Group', apiGroup: RBAC, name: group }],
      });
    await bind('system:node-bootstrapper', 'system:bootstrappers');
    await bind('system:certificates.k8s.io:certificatesigningrequests:nodeclient', 'system:bootstrappers');
    await bind('system:certificates.k8s.io:certificatesigningrequests:selfnodeclient', 'system:nodes');
    const create = (name: string) => ({
      ...{ verb: 'create' as const, kind: CSR, namespace: '', name, object: asking(name, request, spec) },
    });
    await eventually(() => joining.send(create('joins'), null));
    const first = await issued('joins');
    expect(status('joins')?.conditions).toMatchObject([
      { type: 'Approved', reason: 'AutoApproved', message: expect.stringContaining('Auto approving kubelet client') },
    ]);

    const { targets, tls } = await plane.connection('nobody');
    const certificate = { ca: tls.ca, cert: Buffer.from(first.toString()), key: Buffer.from(key) };
    const node = openCommandClient({ targets, tls: certificate });
    await node.send(create('renews'), null);
    await issued('renews');
    expect(status('renews')?.conditions).toMatchObject([
      { message: expect.stringContaining('Auto approving self kubelet client') },
    ]);
    await Promise.all([joining.close(), node.close()]);
  });
});
