import { describe, expect, it } from 'vitest';
import { created, createProblems, updateProblems } from '../testing/objects.ts';
import { type EndpointSlice, endpointSlice } from './endpoint-slice.ts';

const aSlice = (more: Partial<EndpointSlice> = {}): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'web-abc', namespace: 'shop' },
  addressType: 'IPv4',
  endpoints: [{ addresses: ['10.0.0.1'] }],
  ports: [{ port: 80 }],
  ...more,
});

describe('an endpoint slice', () => {
  it('names its ports, if only with nothing', () => {
    expect(created(endpointSlice, aSlice()).ports).toEqual([{ name: '', port: 80, protocol: 'TCP' }]);
  });

  it.each<[string, Partial<EndpointSlice>, string[]]>([
    ['as controllers write it', {}, []],
    [
      'of an unknown type',
      { addressType: 'Pigeon' as never },
      ['addressType: Unsupported value: "Pigeon": supported values: "FQDN", "IPv4", "IPv6"'],
    ],
    [
      'with bad addresses',
      { endpoints: [{ addresses: [] }, { addresses: ['::1', '127.0.0.1'] }] },
      [
        'endpoints[0].addresses: Required value: must contain at least 1 address',
        'endpoints[1].addresses: Invalid value: "::1": must be an IPv4 address',
        'endpoints[1].addresses[0]: Invalid value: "::1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
        'endpoints[1].addresses[1]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
      ],
    ],
    [
      'of names that lead nowhere',
      {
        addressType: 'FQDN',
        endpoints: [{ addresses: ['', 'web', 'web.example.com.', `${'a'.repeat(64)}.example.com`] }],
      },
      [
        'endpoints[0].addresses[0]: Required value',
        'endpoints[0].addresses[1]: Invalid value: "web": should be a domain with at least two segments separated by dots',
        `endpoints[0].addresses[3]: Invalid value: "${'a'.repeat(64)}": must be no more than 63 bytes`,
      ],
    ],
    [
      'of addresses that are not written in the one way',
      { addressType: 'IPv6', endpoints: [{ addresses: ['2001:DB8::1', '2001:db8::1'] }] },
      ['endpoints[0].addresses[0]: Invalid value: "2001:DB8::1": must be in canonical form ("2001:db8::1")'],
    ],
    [
      'with hints that say nothing new',
      {
        endpoints: [
          {
            addresses: ['10.0.0.1'],
            hints: { forZones: [{ name: 'a' }, { name: 'a' }], forNodes: Array(9).fill({ name: 'n' }) },
          },
        ],
      },
      [
        'endpoints[0].hints.forZones[1].name: Duplicate value: "a"',
        'endpoints[0].hints.forNodes: Too many: 9: must have at most 8 items',
      ],
    ],
    [
      'with bad ports',
      { ports: [{ port: 0 }, { port: 1 }, { name: 'x', protocol: 'XTP' as never }] },
      [
        'ports[1].name: Duplicate value: ""',
        'ports[2].protocol: Unsupported value: "XTP": supported values: "SCTP", "TCP", "UDP"',
      ],
    ],
    [
      'with too many endpoints',
      { endpoints: Array.from({ length: 1001 }, () => ({ addresses: ['10.0.0.1'] })) },
      ['endpoints: Too many: 1001: must have at most 1000 items'],
    ],
  ])('%s', (_what, more, expected) => {
    expect(createProblems(endpointSlice, aSlice(more))).toEqual(expected);
  });

  it('keeps its type of addresses, and counts other changes', () => {
    const change = (copy: EndpointSlice) => {
      copy.addressType = 'IPv6';
      copy.endpoints = [];
    };
    expect(updateProblems(endpointSlice, aSlice(), change)).toEqual([
      'addressType: Invalid value: "IPv6": field is immutable',
    ]);
    const old = created(endpointSlice, aSlice());
    const now = structuredClone(old);
    now.endpoints = [];
    endpointSlice.prepareForUpdate(now, old);
    expect(now.metadata.generation).toBe(2);
  });
});
