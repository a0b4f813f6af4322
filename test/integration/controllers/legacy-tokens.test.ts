import { configMap, type Kind, secret, serviceAccount } from '@periplus/api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ControlPlane, eventually, runControllers, startControlPlane } from './control-plane.ts';

const TRACKING = 'kube-apiserver-legacy-service-account-token-tracking';
const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since';

let plane: ControlPlane;
beforeAll(async () => {
  plane = await startControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

it('marks what was made unasked for an account and nobody used, and deletes it in the end', async () => {
  await plane.patch(configMap as unknown as Kind, 'kube-system', TRACKING, { data: { since: '2020-01-01' } });
  const account = (name: string, secrets: { name: string }[]) =>
    plane.create(serviceAccount, {
      ...{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: 'default', name }, secrets },
    });
  const token = (name: string, of: string) =>
    plane.create(secret, {
      ...{ apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/service-account-token' },
      metadata: { namespace: 'default', name, annotations: { 'kubernetes.io/service-account.name': of } },
    });
  const labels = (name: string) => plane.get(secret, 'default', name)?.metadata.labels;
  await account('bot', [{ name: 'unasked' }]);
  await token('asked', 'bot');
  await token('unasked', 'bot');
  await using _controllers = await runControllers(plane);
  await eventually(() => expect(labels('unasked')).toHaveProperty([INVALID_SINCE]));
  const mark = { metadata: { labels: { [INVALID_SINCE]: '2020-01-01' } } };
  await plane.patch(secret as unknown as Kind, 'default', 'unasked', mark);
  await eventually(() => expect(plane.get(secret, 'default', 'unasked')).toBeUndefined());
  expect(plane.get(secret, 'default', 'asked')).toBeDefined();
  expect(labels('asked')).toBeUndefined();
});
