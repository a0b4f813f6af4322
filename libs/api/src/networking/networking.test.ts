import { describe, expect, it } from 'vitest';
import { created, createProblems, statusProblems, updateProblems } from '../testing/objects.ts';
import { table } from '../testing/table.ts';
import { type Ingress, ingress } from './ingress.ts';
import { type IngressClass, ingressClass } from './ingress-class.ts';
import { type IPAddress, ipAddress } from './ip-address.ts';
import { type NetworkPolicy, networkPolicy } from './network-policy.ts';
import { type ServiceCIDR, serviceCIDR } from './service-cidr.ts';

const apiVersion = 'networking.k8s.io/v1';
const aPolicy = (spec: NetworkPolicy['spec'] = {}): NetworkPolicy => ({
  apiVersion,
  kind: 'NetworkPolicy',
  metadata: { name: 'web', namespace: 'shop' },
  spec,
});
const backend = (number = 80) => ({ service: { name: 'web', port: { number } } });
const anIngress = (spec: Ingress['spec'] = { defaultBackend: backend() }): Ingress => ({
  apiVersion,
  kind: 'Ingress',
  metadata: { name: 'web', namespace: 'shop' },
  spec,
});
const withPath = (path: string, pathType: string, more = {}): Ingress['spec'] => ({
  rules: [
    { host: 'a.example.com', http: { paths: [{ path, pathType: pathType as 'Exact', backend: backend(), ...more }] } },
  ],
});
const aClass = (spec: IngressClass['spec'], annotations = {}): IngressClass => ({
  apiVersion,
  kind: 'IngressClass',
  metadata: { name: 'public', annotations },
  spec,
});
const aRange = (...cidrs: string[]): ServiceCIDR => ({
  apiVersion,
  kind: 'ServiceCIDR',
  metadata: { name: 'more' },
  spec: { cidrs },
});
const anAddress = (name: string, parentRef: object = { resource: 'services', namespace: 'shop', name: 'web' }) =>
  ({ apiVersion, kind: 'IPAddress', metadata: { name }, spec: { parentRef } }) as IPAddress;
const PATH = 'spec.rules[0].http.paths[0]';

describe('a network policy', () => {
  it.each<[string, NetworkPolicy['spec'], string[]]>([
    ['that isolates', {}, []],
    [
      'with all sorts of peers',
      {
        podSelector: { matchLabels: { app: 'web' } },
        ingress: [
          {
            ports: [{ port: 80, endPort: 90 }, { port: 'http', protocol: 'UDP' }, {}],
            from: [
              { podSelector: {}, namespaceSelector: {} },
              { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } },
              { ipBlock: { cidr: '2001:db8::/32', except: ['2001:db8:1::/48'] } },
            ],
          },
        ],
        egress: [{}],
      },
      [],
    ],
    [
      'with odd ports',
      {
        egress: [
          {
            ports: [
              { port: 90, endPort: 80 },
              { port: 0, protocol: 'ICMP' as never },
              { port: 'http', endPort: 80 },
              { endPort: 80 },
              { port: 'Odd!' },
            ],
          },
        ],
      },
      [
        'spec.egress[0].ports[0].endPort: Invalid value: 90: must be greater than or equal to `port`',
        'spec.egress[0].ports[1].protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"',
        'spec.egress[0].ports[1].port: Invalid value: 0: must be between 1 and 65535, inclusive',
        'spec.egress[0].ports[2].endPort: Invalid value: 80: may not be specified when `port` is non-numeric',
        'spec.egress[0].ports[3].endPort: Invalid value: 80: may not be specified when `port` is not specified',
        'spec.egress[0].ports[4].port: Invalid value: "Odd!": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
      ],
    ],
    [
      'with odd peers',
      {
        ingress: [
          {
            from: [
              {},
              { podSelector: {}, ipBlock: { cidr: '10.0.0.0/8' } },
              { ipBlock: { cidr: '' } },
              { ipBlock: { cidr: 'x' } },
              { ipBlock: { cidr: '10.0.0.1/8' } },
              { ipBlock: { cidr: '::ffff:10.0.0.0/104' } },
              { ipBlock: { cidr: '10.0.0.0/16', except: ['10.1.0.0/24', '10.0.0.0/16', '2001:db8::/32', 'y'] } },
            ],
          },
        ],
      },
      [
        'spec.ingress[0].from[0]: Required value: must specify a peer',
        'spec.ingress[0].from[1]: Forbidden: may not specify both ipBlock and another peer',
        'spec.ingress[0].from[2].ipBlock.cidr: Required value',
        'spec.ingress[0].from[3].ipBlock.cidr: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
        'spec.ingress[0].from[4].ipBlock.cidr: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length',
        'spec.ingress[0].from[5].ipBlock.cidr: Invalid value: "::ffff:10.0.0.0/104": must not have an IPv4-mapped IPv6 address',
        'spec.ingress[0].from[6].ipBlock.except[0]: Invalid value: "10.1.0.0/24": must be a strict subset of `cidr`',
        'spec.ingress[0].from[6].ipBlock.except[1]: Invalid value: "10.0.0.0/16": must be a strict subset of `cidr`',
        'spec.ingress[0].from[6].ipBlock.except[2]: Invalid value: "2001:db8::/32": must be a strict subset of `cidr`',
        'spec.ingress[0].from[6].ipBlock.except[3]: Invalid value: "y": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      ],
    ],
    [
      'of odd types',
      { policyTypes: ['Sideways' as never] },
      ['spec.policyTypes[0]: Unsupported value: "Sideways": supported values: "Ingress", "Egress"'],
    ],
  ])('%s', (_what, spec, expected) => {
    expect(createProblems(networkPolicy, aPolicy(spec))).toEqual(expected);
  });

  it('is about what comes in, and about what goes out when it has rules for that', () => {
    expect(created(networkPolicy, aPolicy()).spec.policyTypes).toEqual(['Ingress']);
    const { spec } = created(networkPolicy, aPolicy({ egress: [{ ports: [{ port: 53 }] }] }));
    expect(spec).toMatchObject({ policyTypes: ['Ingress', 'Egress'], egress: [{ ports: [{ protocol: 'TCP' }] }] });
  });

  it('prints its pods', () => {
    const selecting = aPolicy({ podSelector: { matchLabels: { app: 'web' } } });
    expect(table(networkPolicy, selecting)).toEqual(['NAME  POD-SELECTOR  AGE', 'web  app=web  60m']);
    expect(table(networkPolicy, aPolicy())[1]).toBe('web  <none>  60m');
  });
});

describe('an ingress', () => {
  it.each<[string, Ingress['spec'], string[]]>([
    ['to one service', { defaultBackend: backend() }, []],
    [
      'by host and path',
      {
        ...withPath('/', 'Prefix'),
        tls: [{ hosts: ['*.example.com'], secretName: 'cert' }],
        ingressClassName: 'public',
      },
      [],
    ],
    ['to nowhere', {}, ['spec: Invalid value: null: either `defaultBackend` or `rules` must be specified']],
    [
      'with odd hosts',
      {
        rules: [{ host: '10.0.0.1' }, { host: 'a.*.com' }, { http: { paths: [] } }],
        tls: [{ hosts: ['A'], secretName: 'B' }],
        ingressClassName: '',
      },
      [
        'spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
        expect.stringMatching(/^spec.rules\[1\].host: Invalid value: "a.\*.com": a wildcard DNS-1123/) as never,
        'spec.rules[2].http.paths: Required value',
        expect.stringMatching(/^spec.tls\[0\].hosts\[0\]: Invalid value: "A"/) as never,
        expect.stringMatching(/^spec.tls\[0\].secretName: Invalid value: "B"/) as never,
        expect.stringMatching(/^spec.ingressClassName: Invalid value: ""/) as never,
      ],
    ],
    [
      'with an ambiguous path',
      withPath('/a//b/%2f/..', 'Prefix'),
      [
        `${PATH}.path: Invalid value: "/a//b/%2f/..": must not contain '//'`,
        `${PATH}.path: Invalid value: "/a//b/%2f/..": must not contain '%2f'`,
        `${PATH}.path: Invalid value: "/a//b/%2f/..": cannot end with '/..'`,
      ],
    ],
    ['with a path that its server understands', withPath('/a//b', 'ImplementationSpecific'), []],
    [
      'with a relative path',
      withPath('a', 'ImplementationSpecific'),
      [`${PATH}.path: Invalid value: "a": must be an absolute path`],
    ],
    ['with no path', withPath('', 'Exact'), [`${PATH}.path: Invalid value: "": must be an absolute path`]],
    ['with no type of path', withPath('/', ''), [`${PATH}.pathType: Required value: pathType must be specified`]],
    [
      'with an odd type of path',
      withPath('/', 'Odd'),
      [`${PATH}.pathType: Unsupported value: "Odd": supported values: "Exact", "ImplementationSpecific", "Prefix"`],
    ],
    [
      'to nothing',
      withPath('/', 'Exact', { backend: {} }),
      [`${PATH}.backend: Invalid value: "": resource or service backend is required`],
    ],
    [
      'to two things',
      { defaultBackend: { ...backend(), resource: { kind: 'Bucket', name: 'b' } } },
      ['spec.defaultBackend: Invalid value: "": cannot set both resource and service backends'],
    ],
    [
      'to an odd object',
      { defaultBackend: { resource: { kind: 'a/b', name: '', apiGroup: 'X' } } },
      [
        expect.stringMatching(/^spec.defaultBackend.resource.apiGroup: Invalid value: "X"/) as never,
        `spec.defaultBackend.resource.kind: Invalid value: "a/b": may not contain '/'`,
        'spec.defaultBackend.resource.name: Required value: name is required',
      ],
    ],
    [
      'to an odd service',
      { defaultBackend: { service: { name: '1', port: { name: 'http', number: 80 } } } },
      [
        expect.stringMatching(/^spec.defaultBackend.service.name: Invalid value: "1": a DNS-1035 label/) as never,
        'spec.defaultBackend: Invalid value: "": cannot set both port name & port number',
      ],
    ],
    [
      'to no port',
      { defaultBackend: { service: { name: '' } } },
      [
        'spec.defaultBackend.service.name: Required value',
        'spec.defaultBackend: Required value: port name or number is required',
      ],
    ],
  ])('%s', (_what, spec, expected) => {
    expect(createProblems(ingress, anIngress(spec))).toEqual(expected);
  });

  it('has one class, however it says so', () => {
    const object = anIngress({ defaultBackend: backend(), ingressClassName: 'public' });
    object.metadata.annotations = { 'kubernetes.io/ingress.class': 'private' };
    expect(createProblems(ingress, object)).toEqual([
      'annotations.kubernetes.io/ingress.class: Invalid value: "private": must match `ingressClassName` when both are specified',
    ]);
  });

  it('can be reached at addresses and names', () => {
    const at =
      (...found: object[]) =>
      (copy: Ingress) => {
        copy.status = { loadBalancer: { ingress: found } };
      };
    expect(statusProblems(ingress, anIngress(), at({ ip: '192.0.2.1' }, { hostname: 'lb.example.com' }))).toEqual([]);
    expect(statusProblems(ingress, anIngress(), at({ ip: 'x' }, { hostname: '192.0.2.1' }))).toEqual([
      'status.loadBalancer.ingress[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      'status.loadBalancer.ingress[1].hostname: Invalid value: "192.0.2.1": must be a DNS name, not an IP address',
    ]);
  });

  it('prints its first hosts', () => {
    const rules = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ host: `${name}.example.com` }));
    const object = anIngress({ rules, tls: [{}], ingressClassName: 'public' });
    object.status = { loadBalancer: { ingress: [{ ip: '192.0.2.2' }, { hostname: '192.0.2.1x' }] } };
    expect(table(ingress, object)).toEqual([
      'NAME  CLASS  HOSTS  ADDRESS  PORTS  AGE',
      'web  public  a.example.com,b.example.com,c.example.com + 2 more...  192.0.2.1x,192.0.2.2  80, 443  60m',
    ]);
    expect(table(ingress, anIngress())[1]).toBe('web  <none>  *    80  60m');
  });
});

describe('an ingress class', () => {
  it.each<[string, IngressClass['spec'], string[]]>([
    ['of a controller', { controller: 'example.com/ingress', parameters: { kind: 'Config', name: 'x' } }, []],
    ['of nobody', {}, ['spec.controller: Required value']],
    [
      'of an odd controller',
      { controller: 'ingress' },
      ['spec.controller: Invalid value: "ingress": must be a domain-prefixed path (such as "acme.io/foo")'],
    ],
    [
      'with an odd path',
      { controller: `example.com/a b` },
      [
        `spec.controller: Invalid value: "a b": Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')`,
      ],
    ],
    [
      'with parameters nowhere',
      { controller: 'a.b/c', parameters: { kind: 'Config', name: 'x', scope: 'Namespace' } },
      ["spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"],
    ],
    [
      'with parameters everywhere',
      { controller: 'a.b/c', parameters: { kind: 'Config', name: 'x', namespace: 'y' } },
      ["spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'"],
    ],
    [
      'with parameters elsewhere',
      { controller: 'a.b/c', parameters: { kind: '', name: 'x', scope: 'Galaxy' } },
      [
        'spec.parameters.kind: Required value: kind is required',
        'spec.parameters.scope: Unsupported value: "Galaxy": supported values: "Cluster", "Namespace"',
      ],
    ],
  ])('%s', (_what, spec, expected) => {
    expect(createProblems(ingressClass, aClass(spec))).toEqual(expected);
  });

  it('keeps its controller', () => {
    expect(
      updateProblems(ingressClass, aClass({ controller: 'a.b/c' }), ({ spec }) => (spec.controller = 'a.b/d')),
    ).toEqual(['spec.controller: Invalid value: "a.b/d": field is immutable']);
  });

  it('says so when it is the default', () => {
    const annotations = { 'ingressclass.kubernetes.io/is-default-class': 'true' };
    const spec = { controller: 'a.b/c', parameters: { kind: 'Config', apiGroup: 'a.b', name: 'x' } };
    expect(table(ingressClass, aClass(spec, annotations))).toEqual([
      'NAME  CONTROLLER  PARAMETERS  AGE',
      'public (default)  a.b/c  Config.a.b/x  60m',
    ]);
  });
});

describe('a range of service addresses', () => {
  it.each<[string, string[], string[]]>([
    ['of one family', ['10.100.0.0/16'], []],
    ['of both', ['10.100.0.0/16', '2001:db8::/64'], []],
    ['of nothing', [], ['spec.cidrs: Required value: at least one CIDR required']],
    [
      'of one family twice',
      ['10.100.0.0/16', '10.101.0.0/16'],
      [
        'spec.cidrs: Invalid value: {"cidrs":["10.100.0.0/16","10.101.0.0/16"]}: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
      ],
    ],
    [
      'that says too much',
      ['10.100.0.1/16'],
      ['spec.cidrs[0]: Invalid value: "10.100.0.1/16": must not have bits set beyond the prefix length'],
    ],
    [
      'that says it oddly',
      ['2001:0db8::/64'],
      ['spec.cidrs[0]: Invalid value: "2001:0db8::/64": must be in canonical form ("2001:db8::/64")'],
    ],
  ])('%s', (_what, cidrs, expected) => {
    expect(createProblems(serviceCIDR, aRange(...cidrs))).toEqual(expected);
  });

  it('stays as it is', () => {
    expect(
      updateProblems(serviceCIDR, aRange('10.100.0.0/16'), ({ spec }) => spec.cidrs!.push('2001:db8::/64')),
    ).toEqual(['spec.cidrs: Invalid value: ["10.100.0.0/16","2001:db8::/64"]: field is immutable']);
    expect(table(serviceCIDR, aRange('10.100.0.0/16', '2001:db8::/64'))).toEqual([
      'NAME  CIDRS  AGE',
      'more  10.100.0.0/16,2001:db8::/64  60m',
    ]);
  });
});

describe('an address', () => {
  it('is named as it is written', () => {
    expect(createProblems(ipAddress, anAddress('10.96.0.1'))).toEqual([]);
    expect(createProblems(ipAddress, anAddress('2001:db8::1'))).toEqual([]);
    expect(createProblems(ipAddress, anAddress('2001:DB8::1'))).toEqual([
      'metadata.name: Invalid value: "2001:DB8::1": must be in canonical form ("2001:db8::1")',
    ]);
  });

  it('belongs to something, for good', () => {
    expect(createProblems(ipAddress, anAddress('10.96.0.1', { group: 'X', resource: '', name: 'a/b' }))).toEqual([
      expect.stringMatching(/^spec.parentRef.group: Invalid value: "X"/),
      'spec.parentRef.resource: Required value',
      `spec.parentRef.name: Invalid value: "a/b": may not contain '/'`,
    ]);
    const moved = updateProblems(ipAddress, anAddress('10.96.0.1'), ({ spec }) => (spec.parentRef.name = 'other'));
    expect(moved).toEqual([expect.stringMatching(/^spec.parentRef: Invalid value: .*: field is immutable$/)]);
    expect(table(ipAddress, anAddress('10.96.0.1'))).toEqual(['NAME  PARENTREF', '10.96.0.1  services/shop/web']);
  });
});
