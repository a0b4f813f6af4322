import { type ConfigMap, configMap, secret } from '@periplus/api';
import { flattenedVerify } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ControlPlane, eventually, runControllers, startControlPlane } from './control-plane.ts';

const KUBECONFIG = 'apiVersion: v1\nkind: Config\n';
const PART = '0123456789abcdef';

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

const token = (id: string, lifeMs: number) =>
  plane.create(secret, {
    ...{ apiVersion: 'v1', kind: 'Secret', type: 'bootstrap.kubernetes.io/token' },
    metadata: { namespace: 'kube-system', name: `bootstrap-token-${id}` },
    stringData: {
      ...{ 'token-id': id, 'token-secret': PART, 'usage-bootstrap-signing': 'true' },
      expiration: new Date(Date.now() + lifeMs).toISOString(),
    },
  });
const info = (): ConfigMap['data'] => plane.get(configMap, 'kube-public', 'cluster-info')?.data as ConfigMap['data'];

it('signs what is told of the cluster with each token, as long as there is one', async () => {
  await plane.create(configMap, {
    ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'kube-public', name: 'cluster-info' } },
    data: { kubeconfig: KUBECONFIG },
  });
  await token('aaaaaa', 3_600_000);
  await token('bbbbbb', 2_000);
  await eventually(() => expect(info()).toHaveProperty('jws-kubeconfig-aaaaaa'));
  const [header, , signature] = info()!['jws-kubeconfig-aaaaaa']!.split('.');
  const payload = Buffer.from(KUBECONFIG).toString('base64url');
  const signed = { protected: header!, payload, signature: signature! };
  const { protectedHeader } = await flattenedVerify(signed, Buffer.from(PART));
  expect(protectedHeader).toEqual({ alg: 'HS256', kid: 'aaaaaa' });

  await eventually(() => expect(plane.get(secret, 'kube-system', 'bootstrap-token-bbbbbb')).toBeUndefined());
  await eventually(() => expect(Object.keys(info()!).toSorted()).toEqual(['jws-kubeconfig-aaaaaa', 'kubeconfig']));
});
