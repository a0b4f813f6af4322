import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasAddress, pick, ServiceNetwork } from './service-network.ts';

const network = (serviceCidr: string, nodePortRange = '30000-32767') =>
  new ServiceNetwork({ serviceCidr, nodePortRange });

describe('a service network', () => {
  it('has all addresses but the first and the last', () => {
    const small = network('10.96.0.0/29');
    expect(small.apiServerAddress).toBe('10.96.0.1');
    const inside = Array.from({ length: 8 }, (_, i) => hasAddress(small.addresses, `10.96.0.${i}`));
    expect(inside).toEqual([false, true, true, true, true, true, true, false]);
    expect(network('10.96.3.7/12').serviceCidr).toBe('10.96.0.0/12');
    expect(hasAddress(network('192.168.0.0/16').addresses, '192.168.255.254')).toBe(true);
  });

  it.each(['10.0.0.0', '10.0.0.0/31', 'fd00::/64', 'x/24'])('cannot be %s', (cidr) => {
    expect(() => network(cidr)).toThrow(cidr);
  });

  it.each(['80', '0-5', '5-4', '1-70000'])('cannot have the node ports %s', (range) => {
    expect(() => network('10.0.0.0/16', range)).toThrow(range);
  });

  it('gives each number of a pool to one, all of them, and then says that it is full', () => {
    const pools = fc.record({ first: fc.integer({ min: 1, max: 1000 }), size: fc.integer({ min: 1, max: 60 }) });
    fc.assert(
      fc.property(
        pools,
        fc.infiniteStream(fc.double({ min: 0, max: 0.999999, noNaN: true })),
        ({ first, size }, stream) => {
          const pool = { first, size, reserved: Math.floor(size / 3) };
          const taken = new Set<number>();
          const random = (): number => stream.next().value as number;
          for (let i = 0; i < size; i++) {
            const value = pick(pool, (one) => taken.has(one), random)!;
            expect(value >= first && value < first + size && !taken.has(value)).toBe(true);
            // What is left to be chosen by hand is given away last.
            if (i < size - pool.reserved) expect(value).toBeGreaterThanOrEqual(first + pool.reserved);
            taken.add(value);
          }
          expect(pick(pool, (one) => taken.has(one), random)).toBeUndefined();
        },
      ),
    );
  });
});
