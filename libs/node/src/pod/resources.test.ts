import { expect, it } from 'vitest';
import { aPod } from './pod-fixtures.ts';
import type { Container } from './pod-types.ts';
import { linuxResources, qosClassOf } from './resources.ts';

const MACHINE = 8 * 1024 ** 3;
const of = (resources: Container['resources']) => {
  const container = { name: 'main', resources };
  return linuxResources(aPod({ containers: [container] }), container, MACHINE);
};

it.each<[string, Container['resources'], object]>([
  ['nothing asked', undefined, { cpuShares: 2, oomScoreAdj: 1000 }],
  ['a request', { requests: { cpu: '250m', memory: '4Gi' } }, { cpuShares: 256, oomScoreAdj: 500 }],
  [
    'limits alone',
    { limits: { cpu: '500m', memory: '64Mi' } },
    { cpuShares: 512, cpuPeriod: 100_000, cpuQuota: 50_000, memoryLimitInBytes: 64 * 1024 ** 2, oomScoreAdj: -997 },
  ],
  ['a tiny limit', { limits: { cpu: '1m' } }, { cpuShares: 2, cpuPeriod: 100_000, cpuQuota: 1_000, oomScoreAdj: 999 }],
])('%s', (_, resources, expected) => {
  expect(of(resources)).toEqual(expected);
});

it.each<[Container['resources'], string]>([
  [undefined, 'BestEffort'],
  [{ requests: { cpu: '1' } }, 'Burstable'],
  [{ limits: { cpu: '1', memory: '1Gi' } }, 'Guaranteed'],
  [{ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } }, 'Burstable'],
])('%j is %s', (resources, expected) => {
  expect(qosClassOf(aPod({ containers: [{ name: 'main', resources }] }))).toBe(expected);
});
