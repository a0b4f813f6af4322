import { node } from '@periplus/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { nodeIpamController } from './node-ipam-controller.ts';
import { checkPodNetwork, freeRanges } from './pod-ranges.ts';

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

  it('need a network that can be divided so', () => {
    expect(() => checkPodNetwork({ cidr: '10.244.0.0/25', nodeMaskBits: 24 })).toThrow('has no room for a /24');
    expect(() => checkPodNetwork({ cidr: 'fd00::/64', nodeMaskBits: 80 })).toThrow('is no IPv4 range');
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
        const controller = nodeIpamController({ cidr: '10.244.0.0/21', nodeMaskBits: 24 });
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
    const controller = nodeIpamController({ cidr: '10.244.0.0/24', nodeMaskBits: 24 });
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
});
