import {
  addressOfService,
  type IPAddress,
  ipAddress,
  type Service,
  type ServiceCIDR,
  service,
  serviceCIDR,
} from '@periplus/api';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { addressCleaner } from './address-cleaner.ts';
import { addressRepairController } from './address-repair-controller.ts';

let sim: Simulation;
beforeEach(() => start());

function start(): void {
  sim = new Simulation(addressRepairController, addressCleaner);
  sim.cluster.put(serviceCIDR, {
    ...{ apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name: 'kubernetes' } },
    spec: { cidrs: ['10.0.0.0/24'] },
  } as ServiceCIDR);
}
function putService(name: string, address: string): void {
  const spec = { clusterIP: address, clusterIPs: [address] };
  const metadata = { namespace: 'shop', name };
  sim.cluster.put(service, { apiVersion: 'v1', kind: 'Service', metadata, spec } as Service);
}
const putAddress = (address: string, owner: string, change: Partial<IPAddress> = {}): IPAddress =>
  sim.cluster.put(ipAddress, { ...addressOfService(address, { namespace: 'shop', name: owner }), ...change });
const addresses = () =>
  sim.cluster
    .truth()
    .list(ipAddress)
    .map(({ metadata, spec }) => [metadata.name, spec.parentRef?.name, Object.keys(metadata.labels ?? {}).length]);
const ofGateway = { spec: { parentRef: { group: 'example.com', resource: 'gateways', name: 'g' } } };

describe('the IPAddress of a service', () => {
  it('is left alone when it is right, and services without an address are, too', () => {
    putService('web', '10.0.0.5');
    putAddress('10.0.0.5', 'web');
    putService('headless', 'None');
    sim.settle();
    expect(addresses()).toEqual([['10.0.0.5', 'web', 2]]);
    expect(sim.events).toEqual([]);
  });

  it.each<[string, () => void, string[]]>([
    ['is missing', () => undefined, ['ClusterIPNotAllocated Cluster IP [IPv4]: 10.0.0.5 is not allocated; repairing']],
    ['has lost its labels', () => putAddress('10.0.0.5', 'web', { metadata: { name: '10.0.0.5' } }), []],
    [
      'refers to something else',
      () => putAddress('10.0.0.5', 'web', ofGateway),
      ['ClusterIPNotAllocated the ClusterIP [IPv4]: 10.0.0.5 for Service shop/web has a wrong reference; repairing'],
    ],
    [
      'refers to a service that is not there',
      () => putAddress('10.0.0.5', 'nobody'),
      ['ClusterIPNotAllocated the ClusterIP [IPv4]: 10.0.0.5 for Service shop/web has a wrong reference; repairing'],
    ],
  ])('is made anew when it %s', (_, damage, events) => {
    putService('web', '10.0.0.5');
    damage();
    sim.settle();
    expect(addresses()).toEqual([['10.0.0.5', 'web', 2]]);
    expect(sim.events).toEqual(events);
  });

  it('stays with the service that has it, when another says that it has, too', () => {
    putService('web', '10.0.0.5');
    putService('twin', '10.0.0.5');
    putAddress('10.0.0.5', 'web');
    sim.settle();
    expect(addresses()).toEqual([['10.0.0.5', 'web', 2]]);
    expect(sim.events).toEqual([
      'ClusterIPAlreadyAllocated Cluster IP [IPv4]:10.0.0.5 was assigned to multiple services; please recreate service',
    ]);
  });

  it('is not made for an address that is in no range', () => {
    putService('far', '192.168.0.5');
    sim.settle();
    expect(addresses()).toEqual([]);
    expect(sim.events).toEqual([
      'ClusterIPOutOfRange Cluster IP [IPv4]: 192.168.0.5 is not within any configured Service CIDR; please recreate service',
    ]);
  });
});

describe('an IPAddress that was made for a service', () => {
  it('waits a minute for its service', () => {
    putAddress('10.0.0.9', 'late');
    sim.settle();
    expect(addresses()).toHaveLength(1);
    sim.advance(60_000);
    sim.settle();
    expect(addresses()).toEqual([]);
    expect(sim.events).toEqual([
      'IPAddressNotAllocated IPAddress: 10.0.0.9 for Service shop/late appears to have leaked: cleaning up',
    ]);
  });

  it('goes when the service has another, or it refers to no service', () => {
    putService('web', '10.0.0.5');
    putAddress('10.0.0.5', 'web');
    putAddress('10.0.0.6', 'web');
    putAddress('10.0.0.7', 'web', ofGateway);
    sim.settle();
    expect(addresses()).toEqual([['10.0.0.5', 'web', 2]]);
    expect(sim.events.map((event) => event.split(' ', 1)[0]).sort()).toEqual([
      'IPAddressNotAllocated',
      'IPAddressWrongReference',
    ]);
  });

  it('is nobody’s business when it was made by somebody else', () => {
    putAddress('10.0.0.7', 'none', { ...ofGateway, metadata: { name: '10.0.0.7' } });
    sim.advance(120_000);
    sim.settle();
    expect(addresses()).toHaveLength(1);
  });
});

it('whatever is done to IPAddresses, in the end each cluster IP has its own, and no other is left', () => {
  const last = fc.integer({ min: 1, max: 6 });
  const owner = fc.constantFrom('s1', 's2', 's3', 'gone');
  const damage = fc.oneof(
    fc.record({ do: fc.constant('delete' as const), last }),
    fc.record({ do: fc.constant('refer' as const), last, owner }),
    fc.record({ do: fc.constant('unlabel' as const), last }),
    fc.record({ do: fc.constant('take' as const), last }),
    fc.record({ do: fc.constant('look' as const) }),
  );
  fc.assert(
    fc.property(fc.array(damage, { maxLength: 25 }), (damages) => {
      start();
      for (const i of [1, 2, 3]) {
        putService(`s${i}`, `10.0.0.${i}`);
        putAddress(`10.0.0.${i}`, `s${i}`);
      }
      for (const one of damages) {
        const name = 'last' in one ? `10.0.0.${one.last}` : '';
        const exists = sim.cluster.truth().get(ipAddress, '', name) !== undefined;
        if (one.do === 'delete' && exists) sim.cluster.remove(ipAddress, '', name);
        else if (one.do === 'refer') putAddress(name, one.owner);
        else if (one.do === 'unlabel' && exists && one.last <= 3)
          putAddress(name, `s${one.last}`, { metadata: { name, labels: {} } });
        else if (one.do === 'take' && one.last <= 3) putAddress(name, '', ofGateway);
        else sim.settle();
      }
      sim.settle();
      sim.advance(60_000);
      sim.settle();
      expect(addresses().sort()).toEqual([1, 2, 3].map((i) => [`10.0.0.${i}`, `s${i}`, 2]));
    }),
  );
});
