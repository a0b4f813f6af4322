import type { Pod } from '@periplus/api';
import { expect, it } from 'vitest';
import { podDemand } from './pod-demand.ts';

const MI = 2 ** 20;
const container = (cpu: string, memory: string, restartPolicy?: string) => ({
  name: 'c',
  restartPolicy,
  resources: { requests: { cpu, memory } },
});
const pod = (spec: object): Pod => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec }) as unknown as Pod;

it('adds the containers up', () => {
  const demand = podDemand(pod({ containers: [container('100m', '64Mi'), container('1', '1Gi')] }));
  expect(demand).toMatchObject({ milliCpu: 1_100, memory: 1_088 * MI });
});

it('takes the largest init container where that is more', () => {
  const demand = podDemand(
    pod({ containers: [container('100m', '64Mi')], initContainers: [container('2', '32Mi'), container('1', '16Mi')] }),
  );
  expect(demand).toMatchObject({ milliCpu: 2_000, memory: 64 * MI });
});

it('counts restartable init containers beside the containers, and beside init containers behind them', () => {
  const initContainers = [container('500m', '10Mi', 'Always'), container('2', '10Mi')];
  const demand = podDemand(pod({ containers: [container('1', '10Mi')], initContainers }));
  expect(demand).toMatchObject({ milliCpu: 2_500, memory: 20 * MI });
});

it('adds overhead, and keeps extended resources by name', () => {
  const gpus = { name: 'c', resources: { requests: { 'example.com/gpu': '2' } } };
  const demand = podDemand(pod({ containers: [gpus], overhead: { cpu: '250m' } }));
  expect(demand.milliCpu).toBe(250);
  expect(demand.others).toEqual(new Map([['example.com/gpu', 2]]));
});

it('takes what is asked for the whole pod in place of what its containers ask, and adds overhead to that', () => {
  const resources = { requests: { cpu: '3' } };
  const demand = podDemand(pod({ containers: [container('1', '10Mi')], resources, overhead: { cpu: '1' } }));
  expect(demand).toMatchObject({ milliCpu: 4_000, scoredMilliCpu: 4_000, memory: 10 * MI });
});

it('takes containers without requests to need a little when nodes are scored', () => {
  const demand = podDemand(pod({ containers: [{ name: 'c' }] }));
  expect(demand).toMatchObject({ milliCpu: 0, memory: 0, scoredMilliCpu: 100, scoredMemory: 200 * MI });
});
