import { addressRange, node, serviceCIDR } from '@periplus/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { nodeIpamController } from './node-ipam-controller.ts';
import { checkPodNetworks, freeRanges, type PodNetwork } from './pod-ranges.ts';

const KEY = { namespace: '', name: 'pod-ranges' };

describe('free ranges', () => {
  const network = { cidr: '10.244.0.0/22', nodeMaskBits: 24 };
  it.each<[string[], number, string[]]>([
    [[], 2, ['10.244.0.0/24', '10.244.1.0/24']],
    [['10.244.0.0/24'], 1, ['10.244.1.0/24']],
    [['10.244.0.0/23', 'fd00::/64', 'nonsense', '192.0.2.0/24'], 5, ['10.244.2.0/24', '10.244.3.0/24']],
    [['10.244.1.128/26'], 2, ['10.244.0.0/24', '10.244.2.0/24']],
    [['10.0.0.0/8'], 1, []],
  ])('beside %j', (taken, count, expected) => {
    expect(freeRanges(network, taken, count)).toEqual(expected);
  });

  it.each<[string[], number, string[]]>([
    [[], 2, ['fd00:10::/64', 'fd00:10:0:1::/64']],
    [['fd00:10::/63', '10.0.0.0/8'], 1, ['fd00:10:0:2::/64']],
    [['fd00:10:0:0:8000::/65'], 1, ['fd00:10:0:1::/64']],
    [['fd00:10::/49'], 1, ['fd00:10:0:8000::/64']],
    [['fd00::/16'], 1, []],
  ])('of IPv6 beside %j', (taken, count, expected) => {
    expect(freeRanges({ cidr: 'fd00:10::/48', nodeMaskBits: 64 }, taken, count)).toEqual(expected);
  });

  it('are all that there are, lowest first, whatever is taken', () => {
    const parts = fc.record({ at: fc.nat(255), bits: fc.integer({ min: 20, max: 30 }), isV6: fc.boolean() });
    const text = (isV6: boolean, at: number, bits: number) =>
      isV6 ? `fd00::${(at * 16).toString(16)}/${bits + 96}` : `10.0.${at >> 4}.${(at & 15) * 16}/${bits}`;
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 12 }), fc.boolean(), (some, isV6) => {
        const network = { cidr: text(isV6, 0, 20), nodeMaskBits: isV6 ? 123 : 27 };
        const free = freeRanges(
          network,
          some.map((part) => text(part.isV6, part.at, part.bits)),
          1_000,
        );
        const expected = Array.from({ length: 128 }, (_, i) => i * 32).filter((from) =>
          some
            .filter((part) => part.isV6 === isV6)
            .every(({ at, bits }) => {
              const size = 2 ** (32 - bits);
              const first = Math.floor((at * 16) / size) * size;
              return from + 32 <= first || first + size <= from;
            }),
        );
        expect(free.map((range) => Number(addressRange(range)!.first & 0xfffn))).toEqual(expected);
        expect(free.every((range) => addressRange(range)!.isV6 === isV6)).toBe(true);
      }),
    );
  });

  it.each<[string, PodNetwork[], string]>([
    ['no range', [{ cidr: 'nonsense', nodeMaskBits: 24 }], 'nonsense is no range of addresses'],
    ['a range that is too small', [{ cidr: '10.244.0.0/25', nodeMaskBits: 24 }], '10.244.0.0/25 has no room for a /24'],
    [
      'two of one family',
      [network, { cidr: '10.0.0.0/16', nodeMaskBits: 24 }],
      '10.0.0.0/16 is the second range of its family',
    ],
  ])('are not made of %s', (_what, networks, message) => {
    expect(() => checkPodNetworks(networks)).toThrow(message);
  });
});

type Step = { add: number; own: number | null } | { remove: number } | { look: true };

describe('node IPAM', () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ add: fc.nat(11), own: fc.option(fc.nat(7), { nil: null }) }),
      fc.record({ remove: fc.nat(11) }),
      fc.constant({ look: true as const }),
    ),
    { maxLength: 60 },
  );

  it('never gives a range that another node has, and leaves none without while there is one', () => {
    fc.assert(
      fc.property(steps, (script: Step[]) => {
        const controller = nodeIpamController([{ cidr: '10.244.0.0/21', nodeMaskBits: 24 }]);
        const sim = new Simulation(controller);
        const given = new Map<string, string>();
        for (const step of [...script, { look: true as const }]) {
          if ('add' in step) {
            const name = `n${step.add}`;
            if (sim.cluster.view().get(node, '', name)) continue;
            const taken = sim.cluster
              .view()
              .list(node)
              .flatMap(({ spec }) => spec.podCIDRs ?? []);
            const own = step.own === null ? undefined : `10.244.${step.own}.0/24`;
            const spec = own && !taken.includes(own) ? { podCIDR: own, podCIDRs: [own] } : {};
            sim.cluster.put(node, { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec } as never);
          } else if ('remove' in step) {
            sim.cluster.remove(node, '', `n${step.remove}`);
            given.delete(`n${step.remove}`);
          } else {
            sim.reconcile(controller, KEY);
            const nodes = sim.cluster.view().list(node);
            const ranges = nodes.flatMap(({ spec }) => spec.podCIDRs ?? []);
            expect(new Set(ranges).size).toBe(ranges.length);
            expect(ranges).toHaveLength(Math.min(nodes.length, 8));
            for (const { metadata, spec } of nodes) {
              const [range] = spec.podCIDRs ?? [];
              if (!range) continue;
              expect(given.get(metadata.name!) ?? range).toBe(range);
              given.set(metadata.name!, range);
            }
          }
        }
      }),
    );
  });

  it('says so when there is none left, and gives the next one that comes back', () => {
    const controller = nodeIpamController([{ cidr: '10.244.0.0/24', nodeMaskBits: 24 }]);
    const sim = new Simulation(controller);
    const add = (name: string) =>
      sim.cluster.put(node, { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {} } as never);
    add('a');
    add('b');
    sim.reconcile(controller, KEY);
    expect(sim.events).toEqual(['CIDRNotAvailable Node b status is now: CIDRNotAvailable']);
    sim.cluster.remove(node, '', 'a');
    expect(controller.watches[0]!.keys(null, {} as never, sim.cluster.view())).toEqual([KEY]);
    sim.reconcile(controller, KEY);
    expect(sim.cluster.view().get(node, '', 'b')?.spec.podCIDRs).toEqual(['10.244.0.0/24']);
  });

  it('gives a node one range of each family, in the order of the networks, or none', () => {
    const controller = nodeIpamController([
      { cidr: 'fd00:10::/63', nodeMaskBits: 64 },
      { cidr: '10.244.0.0/16', nodeMaskBits: 24 },
    ]);
    const sim = new Simulation(controller);
    for (const name of ['a', 'b', 'c']) {
      sim.cluster.put(node, { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {} } as never);
    }
    sim.reconcile(controller, KEY);
    const specs = sim.cluster
      .view()
      .list(node)
      .map(({ spec }) => spec);
    expect(specs).toEqual([
      { podCIDR: 'fd00:10::/64', podCIDRs: ['fd00:10::/64', '10.244.0.0/24'] },
      { podCIDR: 'fd00:10:0:1::/64', podCIDRs: ['fd00:10:0:1::/64', '10.244.1.0/24'] },
      {},
    ]);
    expect(sim.events).toEqual(['CIDRNotAvailable Node c status is now: CIDRNotAvailable']);
  });

  it('leaves Services theirs', () => {
    const controller = nodeIpamController([{ cidr: '10.0.0.0/8', nodeMaskBits: 24 }]);
    const sim = new Simulation(controller);
    sim.cluster.put(serviceCIDR, {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'ServiceCIDR',
      metadata: { name: 'kubernetes' },
      spec: { cidrs: ['10.0.0.0/16'] },
    });
    sim.cluster.put(node, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'a' }, spec: {} } as never);
    sim.reconcile(controller, KEY);
    expect(sim.cluster.view().get(node, '', 'a')?.spec.podCIDRs).toEqual(['10.1.0.0/24']);
  });
});
