import { endpointSlice, endpoints, pod, type Service, service } from '@periplus/api';
import { beforeEach, describe, expect, it } from 'vitest';
import { endpointSliceController } from '../endpoint-slice/endpoint-slice-controller.ts';
import { Simulation } from '../simulation.ts';
import { endpointsController } from './endpoints-controller.ts';
import { subsetsOf } from './subsets.ts';

let sim: Simulation;

function putService(spec: Partial<Service['spec']> = {}, labels: Record<string, string> = { team: 'a' }): void {
  const ports = [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }];
  sim.cluster.put(service, {
    ...{ apiVersion: 'v1', kind: 'Service', metadata: { namespace: 'd', name: 'web', labels } },
    spec: { selector: { app: 'web' }, ports, clusterIP: '10.96.0.9', ipFamilies: ['IPv4'], ...spec },
  } as never);
}

function putPod(name: string, ip: string, ready: boolean): void {
  sim.cluster.put(pod, {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'd', name, labels: { app: 'web' } } },
    spec: { nodeName: 'n', containers: [] },
    status: {
      ...{ phase: 'Running', podIP: ip, podIPs: [{ ip }] },
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  } as never);
}

const get = () => sim.cluster.view().get(endpoints, 'd', 'web');

beforeEach(() => {
  sim = new Simulation(endpointSliceController, endpointsController);
});

describe('the Endpoints of a Service', () => {
  it('have its labels and its pods, ready or not', () => {
    putService();
    putPod('b', '10.0.0.2', true);
    putPod('a', '10.0.0.1', true);
    putPod('c', '10.0.0.3', false);
    sim.settle();
    expect(get()?.metadata.labels).toEqual({ team: 'a', 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' });
    const ref = (name: string) => expect.objectContaining({ kind: 'Pod', namespace: 'd', name });
    expect(get()?.subsets).toEqual([
      {
        addresses: [
          { ip: '10.0.0.1', nodeName: 'n', targetRef: ref('a') },
          { ip: '10.0.0.2', nodeName: 'n', targetRef: ref('b') },
        ],
        notReadyAddresses: [{ ip: '10.0.0.3', nodeName: 'n', targetRef: ref('c') }],
        ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      },
    ]);
  });

  it('follow its pods and labels, and tell nobody of pods on their way out', () => {
    putService();
    putPod('a', '10.0.0.1', true);
    putPod('b', '10.0.0.2', true);
    sim.settle();
    sim.cluster.apply({ verb: 'delete', kind: pod, namespace: 'd', name: 'a' });
    putService({ clusterIP: 'None' }, { tier: 'x' });
    sim.settle();
    expect(get()?.subsets?.[0]?.addresses?.map(({ ip }) => ip)).toEqual(['10.0.0.2']);
    expect(get()?.subsets?.[0]?.notReadyAddresses).toBeUndefined();
    expect(get()?.metadata.labels).toEqual({
      ...{ tier: 'x', 'service.kubernetes.io/headless': '' },
      'endpoints.kubernetes.io/managed-by': 'endpoint-controller',
    });
  });

  it('stand empty without pods, and go with the Service', () => {
    putService();
    sim.settle();
    expect(get()?.subsets).toEqual([]);
    sim.cluster.remove(service, 'd', 'web');
    sim.reconcile(endpointsController, { namespace: 'd', name: 'web' });
    expect(get()).toBeUndefined();
  });

  it('are left to whoever writes them where there is no selector', () => {
    putService({ selector: undefined });
    const metadata = { namespace: 'd', name: 'web' };
    sim.cluster.put(endpoints, { apiVersion: 'v1', kind: 'Endpoints', metadata });
    sim.settle();
    expect(get()?.subsets).toBeUndefined();
    sim.cluster.remove(service, 'd', 'web');
    sim.reconcile(endpointsController, metadata);
    expect(get()).toBeDefined();
  });

  it('are written once, whatever is looked at again', () => {
    putService();
    putPod('a', '10.0.0.1', true);
    sim.settle();
    expect(sim.reconcile(endpointsController, { namespace: 'd', name: 'web' })).toBe(false);
    expect(sim.cluster.view().list(endpointSlice)).toHaveLength(1);
  });
});

it('leaves out what does not fit, those that are not ready before the others', () => {
  const endpoint = (i: number) => ({
    addresses: [`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`],
    conditions: { ready: i % 2 === 0, serving: i % 2 === 0, terminating: false },
  });
  const slice = {
    ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { name: 's' }, addressType: 'IPv4' },
    ...{ ports: [], endpoints: Array.from({ length: 1_500 }, (_, i) => endpoint(i)) },
  };
  const { subsets, isTruncated } = subsetsOf([slice as never]);
  expect(isTruncated).toBe(true);
  expect(subsets[0]?.addresses).toHaveLength(750);
  expect(subsets[0]?.notReadyAddresses).toHaveLength(250);
});
