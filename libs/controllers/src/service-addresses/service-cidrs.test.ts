import {
  addressesOf,
  addressOfService,
  ipAddress,
  isInRange,
  SERVICE_CIDR_PROTECTION,
  type Service,
  type ServiceCIDR,
  service,
  serviceCIDR,
} from '@periplus/api';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { serviceCidrController } from './service-cidr-controller.ts';

let sim: Simulation;
beforeEach(() => {
  sim = new Simulation(serviceCidrController);
});

const putRange = (name: string, ...cidrs: string[]): ServiceCIDR =>
  sim.cluster.put(serviceCIDR, {
    ...{ apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name }, spec: { cidrs } },
  } as ServiceCIDR);
const range = (name: string) => sim.cluster.truth().get(serviceCIDR, '', name);
/** As the api-server writes them: together. */
function putService(name: string, address: string): void {
  const metadata = { namespace: 'shop', name };
  const spec = { clusterIP: address, clusterIPs: [address] };
  sim.cluster.put(service, { apiVersion: 'v1', kind: 'Service', metadata, spec } as Service);
  sim.cluster.put(ipAddress, addressOfService(address, metadata));
}
function removeService(name: string, address: string): void {
  sim.cluster.remove(service, 'shop', name);
  sim.cluster.remove(ipAddress, '', address);
}
const end = (name: string): void => {
  sim.cluster.apply({ verb: 'delete', kind: serviceCIDR as never, namespace: '', name });
};
const conditions = (name: string) =>
  range(name)?.status?.conditions?.map(({ type, status, reason }) => [type, status, reason]);

describe('a ServiceCIDR', () => {
  it('is held, and becomes ready', () => {
    putRange('more', '10.1.0.0/24');
    sim.settle();
    expect(range('more')?.metadata.finalizers).toEqual([SERVICE_CIDR_PROTECTION]);
    expect(range('more')?.status?.conditions).toEqual([
      {
        ...{ type: 'Ready', status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' },
        lastTransitionTime: expect.any(String),
      },
    ]);
  });

  it('keeps what others say of it', () => {
    const said = {
      type: 'Ready',
      status: 'True' as const,
      reason: '',
      message: 'as before',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    const other = { ...said, type: 'Seen' };
    sim.cluster.put(serviceCIDR, { ...putRange('kubernetes', '10.0.0.0/24'), status: { conditions: [said, other] } });
    sim.settle();
    expect(range('kubernetes')?.status?.conditions).toEqual([said, other]);
  });

  it('goes, when every server has heard of it, and nobody has an address of it', () => {
    putRange('more', '10.1.0.0/24');
    sim.settle();
    end('more');
    sim.settle();
    expect(range('more')).toBeDefined();
    expect(serviceCidrController.reconcile({ namespace: '', name: 'more' }, sim.cluster.view())).toEqual({
      steps: [],
      lookAgainMs: 10_000,
    });
    sim.advance(10_000);
    sim.settle();
    expect(range('more')).toBeUndefined();
  });

  it('stays as long as an address is in no other, and says so', () => {
    putRange('more', '10.1.0.0/24');
    sim.settle();
    putService('web', '10.1.0.9');
    end('more');
    sim.advance(60_000);
    sim.settle();
    expect(conditions('more')).toEqual([['Ready', 'False', 'Terminating']]);
    expect(range('more')?.status?.conditions?.[0]?.message).toBe(
      'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
    );
    removeService('web', '10.1.0.9');
    sim.settle();
    expect(range('more')).toBeUndefined();
  });

  it.each([
    ['a larger one', '10.1.0.0/16', false],
    ['the same again', '10.1.0.0/24', false],
    ['a part that has the address', '10.1.0.8/29', false],
    ['a part that has not', '10.1.0.128/25', true],
    // The first of a range is no address of it.
    ['a part that begins with the address', '10.1.0.10/31', true],
  ])('goes when there is %s: %s', (_, other, stays) => {
    putRange('more', '10.1.0.0/24');
    putRange('other', other);
    sim.settle();
    putService('web', '10.1.0.10');
    end('more');
    sim.advance(10_000);
    sim.settle();
    expect(range('more') !== undefined).toBe(stays);
  });

  it('is not held by addresses that are no service’s', () => {
    putRange('more', '10.1.0.0/24');
    sim.settle();
    const own = addressOfService('10.1.0.9', { namespace: 'shop', name: 'gateway' });
    sim.cluster.put(ipAddress, { ...own, metadata: { name: '10.1.0.9' } });
    end('more');
    sim.advance(10_000);
    sim.settle();
    expect(range('more')).toBeUndefined();
  });

  it('is looked at again when an address goes, or another range comes', () => {
    putRange('more', '10.1.0.0/24');
    putRange('kubernetes', '10.0.0.0/24');
    sim.settle();
    end('more');
    const view = sim.cluster.view();
    for (const rule of serviceCidrController.watches) {
      expect(rule.keys(null, null, view)).toEqual([{ namespace: '', name: 'more' }]);
    }
    const [addresses] = serviceCidrController.watches;
    expect(addresses!.concerns!({ type: 'added' } as never, view)).toBe(false);
  });
});

it('no address of a service is ever left without a range, whatever comes and goes', () => {
  const cidrs = ['10.1.0.0/24', '10.1.0.0/25', '10.2.0.0/28'];
  const name = fc.nat(cidrs.length - 1);
  const step = fc.oneof(
    fc.record({ do: fc.constant('range' as const), name }),
    fc.record({ do: fc.constant('end' as const), name }),
    fc.record({ do: fc.constant('service' as const), name, last: fc.integer({ min: 1, max: 14 }) }),
    fc.record({ do: fc.constant('remove' as const), at: fc.nat(9) }),
    fc.record({ do: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 4 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      sim = new Simulation(serviceCidrController);
      const held = new Map<string, string>();
      const takenUntilMs = new Map<number, number>();
      for (const one of steps) {
        if (one.do === 'range') {
          if (!range(`r${one.name}`)) {
            putRange(`r${one.name}`, cidrs[one.name]!);
            takenUntilMs.set(one.name, Number.POSITIVE_INFINITY);
          }
        } else if (one.do === 'end') {
          const found = range(`r${one.name}`);
          if (found && !found.metadata.deletionTimestamp) {
            end(`r${one.name}`);
            // A server may be a while behind: it takes from a range that it does not know to be going.
            takenUntilMs.set(one.name, sim.cluster.nowMs + 9_000);
          }
        } else if (one.do === 'service') {
          const address = `${cidrs[one.name]!.split('.').slice(0, 3).join('.')}.${one.last}`;
          if (sim.cluster.nowMs < (takenUntilMs.get(one.name) ?? 0) && !held.has(address)) {
            putService(`s-${address}`, address);
            held.set(address, `s-${address}`);
          }
        } else if (one.do === 'remove') {
          const [address, owner] = [...held][one.at] ?? [];
          if (address) {
            removeService(owner!, address);
            held.delete(address);
          }
        } else sim.advance(one.seconds * 1_000);
        sim.settle();
        const ranges = sim.cluster
          .truth()
          .list(serviceCIDR)
          .flatMap(({ spec }) => spec.cidrs ?? []);
        const services = sim.cluster.truth().list(service);
        for (const address of services.flatMap(addressesOf)) {
          expect(ranges.some((cidr) => isInRange(address, cidr))).toBe(true);
        }
      }
    }),
    { numRuns: 300 },
  );
});
