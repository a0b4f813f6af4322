import { describe, expect, it } from 'vitest';
import { type EnvironmentSources, environment } from './environment.ts';
import { expand } from './expansion.ts';
import { aPod } from './pod-fixtures.ts';
import type { Container } from './pod-types.ts';

const sources: EnvironmentSources = {
  pod: aPod({ serviceAccountName: 'robot' }, { labels: { app: 'web' }, annotations: { b: '2', a: 'x"y' } }),
  node: { name: 'node-1', addresses: ['192.168.0.1'], allocatable: { cpu: '4', memory: '8Gi' } },
  podAddresses: ['10.0.0.2', 'fd00::2'],
  configMap: (name) => (name === 'config' ? { COLOR: 'red', SIZE: 'big' } : undefined),
  secret: (name) => (name === 'secret' ? { PASSWORD: 'hush' } : undefined),
  services: new Map([['KUBERNETES_SERVICE_HOST', '10.96.0.1']]),
};
const of = (container: Partial<Container>): Record<string, string> =>
  Object.fromEntries(environment({ name: 'main', ...container }, sources));
const field = (fieldPath: string): Partial<Container> => ({
  env: [{ name: 'X', valueFrom: { fieldRef: { fieldPath } } }],
});

describe('environment', () => {
  it('takes lists and single values, the latter overriding the former', () => {
    expect(
      of({
        envFrom: [{ configMapRef: { name: 'config' } }, { prefix: 'S_', secretRef: { name: 'secret' } }],
        env: [{ name: 'SIZE', value: 'small' }],
      }),
    ).toEqual({ KUBERNETES_SERVICE_HOST: '10.96.0.1', COLOR: 'red', S_PASSWORD: 'hush', SIZE: 'small' });
  });

  it('puts in what was defined before, and leaves the rest as it is written', () => {
    expect(
      of({
        envFrom: [{ configMapRef: { name: 'config' } }],
        env: [
          { name: 'A', value: '$(COLOR)-$(B)' },
          { name: 'B', value: '$(A)' },
          { name: 'C', value: '$$(A) $(KUBERNETES_SERVICE_HOST)' },
        ],
      }),
    ).toMatchObject({ A: 'red-$(B)', B: 'red-$(B)', C: '$(A) 10.96.0.1' });
  });

  it.each([
    ['metadata.name', 'web'],
    ['metadata.namespace', 'default'],
    ['metadata.uid', 'uid-1'],
    ["metadata.labels['app']", 'web'],
    ['metadata.annotations', 'a="x\\"y"\nb="2"'],
    ['spec.nodeName', 'node-1'],
    ['spec.serviceAccountName', 'robot'],
    ['status.hostIP', '192.168.0.1'],
    ['status.podIP', '10.0.0.2'],
    ['status.podIPs', '10.0.0.2,fd00::2'],
  ])('knows the field %s', (path, value) => {
    expect(of(field(path)).X).toBe(value);
  });

  it.each([
    [{ resource: 'limits.cpu' }, '2'],
    [{ resource: 'limits.cpu', divisor: '1m' }, '1500'],
    [{ resource: 'limits.memory', divisor: '1Mi' }, '8192'],
    [{ resource: 'requests.memory' }, '0'],
  ])('measures %j', (resourceFieldRef, value) => {
    const container = {
      resources: { limits: { cpu: '1500m' } },
      env: [{ name: 'X', valueFrom: { resourceFieldRef } }],
    };
    expect(of(container).X).toBe(value);
  });

  it.each<[Partial<Container>, string]>([
    [{ envFrom: [{ configMapRef: { name: 'nope' } }] }, 'configmap "nope" not found'],
    [{ envFrom: [{ secretRef: { name: 'nope' } }] }, 'secret "nope" not found'],
    [
      { env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'config', key: 'k' } } }] },
      "couldn't find key k in ConfigMap default/config",
    ],
    [
      { env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'secret', key: 'k' } } }] },
      "couldn't find key k in Secret default/secret",
    ],
  ])('says what is missing: %j', (container, message) => {
    expect(() => of(container)).toThrow(message);
  });

  it('does without what is optional', () => {
    expect(
      of({
        envFrom: [{ configMapRef: { name: 'nope', optional: true } }],
        env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'secret', key: 'k', optional: true } } }],
      }),
    ).not.toHaveProperty('X');
  });
});

it('expands only what is a reference', () => {
  const variables = new Map([['A', '1']]);
  expect(expand('$(A) $A $$ $(A', variables)).toBe('1 $A $ $(A');
});
