import { type Endpoints, endpointSlice, endpoints, service } from '@periplus/api';
import { beforeEach, describe, expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { mirroringController } from './mirroring-controller.ts';

let sim: Simulation;
const KEY = { namespace: 'd', name: 'db' };
const ports = [{ name: 'sql', port: 5432, protocol: 'TCP' as const }];

function putService(selector?: Record<string, string>): void {
  sim.cluster.put(service, {
    ...{ apiVersion: 'v1', kind: 'Service', metadata: KEY },
    spec: { ports, ...(selector && { selector }) },
  } as never);
}

function putEndpoints(subsets: Endpoints['subsets'], metadata: object = {}): void {
  sim.cluster.put(endpoints, { apiVersion: 'v1', kind: 'Endpoints', metadata: { ...KEY, ...metadata }, subsets });
}

const slices = () => sim.cluster.view().list(endpointSlice);
const addresses = () => slices().map((one) => one.endpoints?.flatMap((each) => each.addresses) ?? []);

beforeEach(() => {
  sim = new Simulation(mirroringController);
});

describe('Endpoints that somebody wrote by hand', () => {
  it('are copied with their labels, one slice for each family', () => {
    putService();
    const subset = {
      addresses: [{ ip: '192.0.2.1' }, { ip: '2001:db8::1' }],
      notReadyAddresses: [{ ip: '192.0.2.2' }],
    };
    putEndpoints([{ ...subset, ports }], { labels: { team: 'a' }, annotations: { note: 'x' } });
    sim.settle();
    expect(addresses()).toEqual([['192.0.2.1', '192.0.2.2'], ['2001:db8::1']]);
    const [four, six] = slices();
    expect(four?.metadata).toMatchObject({
      name: expect.stringMatching(/^db-/),
      labels: {
        ...{ team: 'a', 'kubernetes.io/service-name': 'db' },
        'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
      },
      annotations: { note: 'x' },
      ownerReferences: [{ kind: 'Endpoints', name: 'db', controller: true }],
    });
    expect([four?.addressType, six?.addressType]).toEqual(['IPv4', 'IPv6']);
    expect(four?.endpoints?.map(({ conditions }) => conditions?.ready)).toEqual([true, false]);
    expect(four?.ports).toEqual(ports);
  });

  it('change their slices in place, and take away those that are left over', () => {
    putService();
    putEndpoints([{ addresses: [{ ip: '192.0.2.1' }, { ip: '2001:db8::1' }], ports }]);
    sim.settle();
    const [first] = slices();
    putEndpoints([{ addresses: [{ ip: '192.0.2.7' }], ports }]);
    sim.settle();
    expect(addresses()).toEqual([['192.0.2.7']]);
    expect(slices()[0]?.metadata.name).toBe(first?.metadata.name);
    expect(sim.reconcile(mirroringController, KEY)).toBe(false);
  });

  it('fill slices of a hundred, up to a thousand', () => {
    putService();
    const all = Array.from({ length: 1_010 }, (_, i) => ({ ip: `192.0.${i >> 8}.${i & 255}` }));
    putEndpoints([{ addresses: all, ports }]);
    sim.settle();
    expect(addresses().map(({ length }) => length)).toEqual(Array.from({ length: 10 }, () => 100));
  });

  it.each<[string, () => void]>([
    ['there is no Service', () => sim.cluster.remove(service, 'd', 'db')],
    ['the Service selects pods', () => putService({ app: 'db' })],
    ['they ask not to be', () => putEndpoints([], { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } })],
    ['they are a lock', () => putEndpoints([], { annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' } })],
  ])('are not copied, or no longer, where %s', (_what, change) => {
    putService();
    putEndpoints([{ addresses: [{ ip: '192.0.2.1' }], ports }]);
    sim.settle();
    expect(slices()).toHaveLength(1);
    change();
    sim.settle();
    expect(slices()).toEqual([]);
  });
});
