import { FieldPath, type KubeObject } from '@periplus/apimachinery';
import { describe, expect, it, test } from 'vitest';
import { type Endpoints, endpoints } from './core/endpoints.ts';
import { node } from './core/node.ts';
import { pod } from './core/pod.ts';
import { service } from './core/service.ts';
import { type EndpointSlice, endpointSlice } from './discovery/endpoint-slice.ts';
import type { Kind } from './kind.ts';
import { lenientAddress, lenientRange } from './lenient-addresses.ts';
import { ingress } from './networking/ingress.ts';
import { type NetworkPolicy, networkPolicy } from './networking/network-policy.ts';
import { aService, updateProblems } from './testing/objects.ts';

test.each([
  ['10.0.0.1', '10.0.0.1'],
  ['010.000.00.01', '10.0.0.1'],
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['FD00:0::1', 'fd00::1'],
  ['fe80::1%eth0', undefined],
  ['10.0.0', undefined],
])('the address %s is %s', (text, expected) => expect(lenientAddress(text)).toBe(expected));

test.each([
  ['10.0.0.0/8', { address: '10.0.0.0', network: '10.0.0.0/8' }],
  ['010.1.0.0/08', { address: '10.1.0.0', network: '10.0.0.0/8' }],
  ['::ffff:10.1.0.0/104', { address: '10.1.0.0', network: '10.0.0.0/8' }],
  ['FD00::1/8', { address: 'fd00::1', network: 'fd00::/8' }],
  ['10.0.0.0/33', undefined],
  ['10.0.0.0', undefined],
  ['x/8', undefined],
])('the range %s is %o', (text, expected) => expect(lenientRange(text)).toEqual(expected));

const label = ({ metadata }: KubeObject): object => Object.assign(metadata, { labels: { a: 'b' } });
const BAD = '010.0.0.1';
const WRONG = `Invalid value: "${BAD}": must not have leading 0s`;

describe('an address that was right once', () => {
  it('stays in what is updated, but does not come to it', () => {
    const spec = { externalIPs: [BAD], type: 'LoadBalancer', loadBalancerSourceRanges: [' 010.0.0.0/8'] } as const;
    const old = aService(structuredClone(spec) as never);
    expect(updateProblems(service, old, label)).toEqual([]);
    expect(
      updateProblems(service, aService({ type: 'LoadBalancer' }), (copy) => Object.assign(copy.spec, spec)),
    ).toEqual([
      `spec.externalIPs[0]: ${WRONG}`,
      'spec.LoadBalancerSourceRanges[0]: Invalid value: "010.0.0.0/8": must not have leading 0s in IP or prefix length',
    ]);
  });

  it('stays in a policy wherever it goes', () => {
    const policy = (cidr: string): NetworkPolicy => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'a', namespace: 'a' },
      spec: { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr, except: ['10.1.0.0/16'] } }] }] },
    });
    const to = (cidr: string) => (copy: NetworkPolicy) => {
      copy.spec = { podSelector: {}, egress: [{ to: [{ ipBlock: { cidr, except: ['11.0.0.0/16'] } }] }] };
    };
    const outside =
      'spec.egress[0].to[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`';
    expect(updateProblems(networkPolicy, policy('10.0.0.1/8'), to('10.0.0.1/8'))).toEqual([outside]);
    expect(updateProblems(networkPolicy, policy('10.0.0.0/8'), to('10.0.0.1/8'))).toEqual([
      'spec.egress[0].to[0].ipBlock.cidr: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length',
      outside,
    ]);
  });

  it('stays among endpoints as long as these are what they were', () => {
    const slice: EndpointSlice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'a', namespace: 'a' },
      addressType: 'IPv4',
      endpoints: [{ addresses: [BAD] }],
    };
    expect(updateProblems(endpointSlice, slice, label)).toEqual([]);
    expect(updateProblems(endpointSlice, slice, (copy) => copy.endpoints!.push({ addresses: ['10.0.0.2'] }))).toEqual([
      `endpoints[0].addresses[0]: ${WRONG}`,
    ]);
    const subsets = [{ addresses: [{ ip: BAD }] }];
    const old: Endpoints = { apiVersion: 'v1', kind: 'Endpoints', metadata: { name: 'a', namespace: 'a' }, subsets };
    expect(updateProblems(endpoints, old, label)).toEqual([]);
    expect(updateProblems(endpoints, old, (copy) => copy.subsets!.push({ addresses: [{ ip: '10.0.0.2' }] }))).toEqual([
      `subsets[0].addresses[0].ip: ${WRONG}`,
    ]);
  });

  it.each([
    [pod, 'podIPs', [{ ip: BAD }], 'status.podIPs[0]'],
    [service, 'loadBalancer', { ingress: [{ ip: BAD }] }, 'status.loadBalancer.ingress[0].ip'],
    [ingress, 'loadBalancer', { ingress: [{ ip: BAD }] }, 'status.loadBalancer.ingress[0].ip'],
  ] as [Kind, string, object, string][])('stays in a status: %#', (kind, field, value, place) => {
    const of = (status: object): never =>
      ({
        metadata: { name: 'a', namespace: 'a', resourceVersion: '1' },
        spec: { type: 'LoadBalancer' },
        status,
      }) as never;
    const problems = (status: object, old: object): string[] =>
      kind
        .validateStatusUpdate(of(status), of(old), new FieldPath())
        .map((error) => `${error.field}: ${error.message}`);
    expect(problems({ [field]: value }, { [field]: value })).toEqual([]);
    expect(problems({ [field]: value }, {})).toEqual([`${place}: ${WRONG}`]);
  });
});

it('ranges in the old annotation are checked when they are new', () => {
  const key = 'service.beta.kubernetes.io/load-balancer-source-ranges';
  const annotate =
    (text: string) =>
    ({ metadata }: KubeObject) =>
      Object.assign(metadata, { annotations: { [key]: text } });
  expect(updateProblems(service, aService({ type: 'LoadBalancer' }), annotate('10.0.0.0/8, x'))).toEqual([
    `metadata.annotations[${key}]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)`,
  ]);
  const old = aService({ type: 'LoadBalancer' });
  annotate('x')(old);
  expect(updateProblems(service, old, label)).toEqual([]);
  expect(updateProblems(service, aService(), annotate(''))).toEqual([
    `metadata.annotations[${key}]: Forbidden: may only be used when \`type\` is 'LoadBalancer'`,
  ]);
});

describe('the author of a status', () => {
  const warningsOf = <T extends KubeObject>(kind: Kind<T>, status: object): readonly string[] =>
    kind.statusWarnings({ metadata: {}, spec: {}, status } as never, new FieldPath());
  const form = 'IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")';

  it('is warned of addresses that are not written as all programs write them', () => {
    expect(warningsOf(pod, { podIPs: [{ ip: BAD }], hostIPs: [{ ip: '10.0.0.1' }, { ip: 'FD00::1' }] })).toEqual([
      `status.podIPs[0].ip: non-standard IP address "${BAD}" is invalid: use "10.0.0.1"`,
      `status.hostIPs[1].ip: ${form}`,
    ]);
    const balanced = { loadBalancer: { ingress: [{ hostname: 'a' }, { ip: 'FD00::1' }] } };
    expect(warningsOf(service, balanced)).toEqual([`status.loadBalancer.ingress[1]: ${form}`]);
    expect(warningsOf(ingress, balanced)).toEqual([`status.loadBalancer.ingress[1]: ${form}`]);
    expect(warningsOf(node, {})).toEqual([]);
  });
});

it('the author of a range is told what it may mean', () => {
  const warningsOf = (range: string): readonly string[] =>
    node.warnings({ metadata: {}, spec: { podCIDRs: [range] } } as never, null, new FieldPath());
  expect(warningsOf('10.1.0.0/8')).toEqual([
    'spec.podCIDRs[0]: CIDR value "10.1.0.0/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.1.0.0/32"?)',
  ]);
  expect(warningsOf('010.1.0.0/8')).toEqual([
    'spec.podCIDRs[0]: CIDR value "010.1.0.0/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.1.0.0/32"?)',
    'spec.podCIDRs[0]: non-standard CIDR value "010.1.0.0/8" is invalid: use "10.0.0.0/8"',
  ]);
  expect(warningsOf('FD00::/8')).toEqual([
    'spec.podCIDRs[0]: IPv6 CIDR value "FD00::/8" should be in RFC 5952 canonical format ("fd00::/8")',
  ]);
  expect(warningsOf('10.0.0.0/8')).toEqual([]);
});
