import {
  builtinKinds,
  type ConfigMap,
  configMap,
  type Pod,
  pod,
  type ResourceQuota,
  resourceQuota,
} from '@periplus/api';
import { beforeEach, describe, expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { resourceQuotaController } from './resource-quota-controller.ts';

const controller = resourceQuotaController(builtinKinds());
const REF = { namespace: 'shop', name: 'quota' };
const QUIET_MS = 90_000;
const RECOUNT_MS = 300_000;

let sim: Simulation;
beforeEach(() => {
  sim = new Simulation(controller);
});
const putQuota = (hard: Record<string, string>, more: Partial<ResourceQuota['spec']> = {}): ResourceQuota =>
  sim.cluster.put(resourceQuota, {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: REF,
    spec: { hard, ...more },
  });
const putConfigMap = (name: string, namespace = 'shop'): ConfigMap =>
  sim.cluster.put(configMap, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name } });
const putPod = (name: string, cpu: string, phase = 'Running'): Pod =>
  sim.cluster.put(pod, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'shop', name },
    spec: { containers: [{ name: 'c', resources: { requests: { cpu } } }] },
    status: { phase: phase as 'Running' },
  });
const status = () => sim.cluster.truth().get(resourceQuota, 'shop', 'quota')?.status;
const lookAgainMs = () => controller.reconcile(REF, sim.cluster.view()).lookAgainMs;

describe('the resource quota controller', () => {
  it('counts what there is when a quota is new', () => {
    putConfigMap('a');
    putConfigMap('b', 'elsewhere');
    putPod('p', '500m');
    putPod('q', '250m');
    putPod('done', '4', 'Succeeded');
    putQuota({ configmaps: '5', pods: '10', 'requests.cpu': '2', 'count/pods': '9', 'limits.memory': '1Gi' });
    sim.reconcile(controller, REF);
    expect(status()).toEqual({
      hard: { configmaps: '5', pods: '10', 'requests.cpu': '2', 'count/pods': '9', 'limits.memory': '1Gi' },
      used: { configmaps: '1', pods: '2', 'requests.cpu': '750m', 'count/pods': '3', 'limits.memory': '0' },
    });
  });

  it('counts only what is in scope', () => {
    putPod('p', '500m');
    sim.cluster.put(pod, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'shop', name: 'besteffort' },
      spec: { containers: [{ name: 'c' }] },
    });
    putQuota({ pods: '5' }, { scopes: ['BestEffort'] });
    sim.reconcile(controller, REF);
    expect(status()?.used).toEqual({ pods: '1' });
  });

  it('leaves alone what requests have just counted, and finds what they left behind once all of them have ended', () => {
    putQuota({ configmaps: '5' });
    sim.reconcile(controller, REF);
    sim.cluster.apply({
      verb: 'patch',
      kind: resourceQuota,
      ...REF,
      subresource: 'status',
      type: 'merge',
      patch: { status: { used: { configmaps: '3' } } },
    });
    expect(sim.reconcile(controller, REF)).toBe(false);
    expect(lookAgainMs()).toBe(QUIET_MS);
    sim.cluster.nowMs += QUIET_MS;
    sim.reconcile(controller, REF);
    expect(status()?.used).toEqual({ configmaps: '0' });
    sim.cluster.nowMs += QUIET_MS;
    expect(lookAgainMs()).toBe(RECOUNT_MS);
  });

  it('puts new limits into force at once, and keeps what is counted', () => {
    putConfigMap('a');
    putQuota({ configmaps: '5', secrets: '1' });
    sim.reconcile(controller, REF);
    const quota = sim.cluster.truth().get(resourceQuota, 'shop', 'quota')!;
    const used = { configmaps: '4', secrets: '0' };
    sim.cluster.put(resourceQuota, {
      ...(structuredClone(quota) as ResourceQuota),
      spec: { hard: { configmaps: '9', pods: '1' } },
      status: { hard: { configmaps: '5', secrets: '1' }, used },
    });
    sim.reconcile(controller, REF);
    expect(status()).toEqual({ hard: { configmaps: '9', pods: '1' }, used: { configmaps: '4', pods: '0' } });
  });
});
