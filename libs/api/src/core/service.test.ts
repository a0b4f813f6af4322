import { describe, expect, it } from 'vitest';
import { aService, created, createProblems, statusProblems, updateProblems } from '../testing/objects.ts';
import { type Service, service } from './service.ts';

type Spec = Service['spec'];

describe('defaults of a service', () => {
  it('are those of Kubernetes on a cluster with IPv4', () => {
    expect(created(service, aService()).spec).toEqual({
      type: 'ClusterIP',
      selector: { app: 'web' },
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
    });
  });

  it.each<[string, Partial<Spec>, Partial<Spec>]>([
    ['node ports', { type: 'NodePort' }, { externalTrafficPolicy: 'Cluster' }],
    ['balancers', { type: 'LoadBalancer' }, { externalTrafficPolicy: 'Cluster', allocateLoadBalancerNodePorts: true }],
    ['external addresses', { externalIPs: ['192.0.2.1'] }, { externalTrafficPolicy: 'Cluster' }],
    [
      'clients that stay with a pod',
      { sessionAffinity: 'ClientIP' },
      { sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } } },
    ],
    ['an address of its choice', { clusterIP: '10.96.0.9' }, { clusterIPs: ['10.96.0.9'] }],
    [
      'no address and no selector',
      { clusterIP: 'None', selector: undefined },
      { clusterIPs: ['None'], ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv4', 'IPv6'] },
    ],
  ])('with %s', (_what, spec, expected) => {
    expect(created(service, aService(spec)).spec).toMatchObject(expected);
  });

  it('of a name elsewhere are few', () => {
    const { spec } = created(service, aService({ type: 'ExternalName', externalName: 'db.example.com', ports: [] }));
    expect(spec).toEqual({
      type: 'ExternalName',
      externalName: 'db.example.com',
      ports: [],
      selector: { app: 'web' },
      sessionAffinity: 'None',
    });
  });
});

describe('a new service', () => {
  it.each<[string, Partial<Spec>, string[]]>([
    ['as people write it', {}, []],
    ['headless', { clusterIP: 'None', ports: [] }, []],
    ['headless, without selector, for both families', { clusterIP: 'None', selector: undefined }, []],
    ['without ports', { ports: [] }, ['spec.ports: Required value']],
    [
      'with two ports, which then need names',
      { ports: [{ port: 80 }, { port: 81, name: 'b' }] },
      ['spec.ports[0].name: Required value'],
    ],
    [
      'with bad ports',
      {
        ports: [
          { name: 'a', port: 0, targetPort: 70000 },
          { name: 'a', port: 80, protocol: 'XTP' as never, targetPort: 'b' },
          { name: 'c', port: 81, nodePort: 30000 },
          { name: 'd', port: 81 },
        ],
      },
      [
        'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
        'spec.ports[0].targetPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
        'spec.ports[1].protocol: Unsupported value: "XTP": supported values: "SCTP", "TCP", "UDP"',
        'spec.ports[1].name: Duplicate value: "a"',
        "spec.ports[2].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
        'spec.ports[3]: Duplicate value: {"port":81,"protocol":"TCP"}',
      ],
    ],
    [
      'with one node port twice',
      {
        type: 'NodePort',
        ports: [
          { name: 'a', port: 80, nodePort: 30000 },
          { name: 'b', port: 81, nodePort: 30000 },
        ],
      },
      ['spec.ports[1].nodePort: Duplicate value: 30000'],
    ],
    [
      'of an unknown type',
      { type: 'Magic' as never },
      [
        'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
      ],
    ],
    [
      'that is headless and has node ports',
      { type: 'NodePort', clusterIP: 'None' },
      ['spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services'],
    ],
    [
      'with addresses that disagree',
      { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.2'] },
      ['spec.clusterIPs: Invalid value: ["10.96.0.2"]: first value must match `clusterIP`'],
    ],
    [
      'with a bad address',
      { clusterIP: 'x' },
      ['spec.clusterIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
    ],
    [
      'that wants two families',
      { ipFamilyPolicy: 'RequireDualStack' },
      [
        'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
      ],
    ],
    ['that would like two families', { ipFamilyPolicy: 'PreferDualStack' }, []],
    [
      'that wants IPv6',
      { ipFamilies: ['IPv6'] },
      ['spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster'],
    ],
    [
      'with external addresses that lead nowhere',
      { externalIPs: ['127.0.0.1', '169.254.0.1', '0.0.0.0'] },
      [
        'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
        'spec.externalIPs[1]: Invalid value: "169.254.0.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)',
        'spec.externalIPs[2]: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)',
      ],
    ],
    [
      'with an endless affinity',
      { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 86401 } } },
      [
        'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400',
      ],
    ],
    [
      'with a name elsewhere and an address',
      { type: 'ExternalName', clusterIP: '10.96.0.1' },
      ['spec.clusterIPs: Forbidden: may not be set for ExternalName services', 'spec.externalName: Required value'],
    ],
    [
      'with fields of balancers',
      {
        loadBalancerClass: 'example.com/lb',
        allocateLoadBalancerNodePorts: true,
        loadBalancerSourceRanges: ['10.0.0.0/8'],
      },
      [
        "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'",
        "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
        "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
      ],
    ],
    [
      'with a policy for traffic that cannot come',
      { externalTrafficPolicy: 'Local' },
      ['spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services'],
    ],
  ])('%s', (_what, spec, expected) => {
    expect(createProblems(service, aService(spec))).toEqual(expected);
  });

  it('has a name that is a label of DNS and begins with a letter', () => {
    const object = aService();
    object.metadata.name = '1st';
    expect(createProblems(service, object)).toEqual([
      expect.stringMatching(/^metadata.name: Invalid value: "1st": a DNS-1035 label must consist of/),
    ]);
  });
});

/** An update by a client that leaves out what it does not know. */
const withOut = (change: (spec: Spec) => void) => (copy: Service) => change(copy.spec);

describe('an update of a service', () => {
  const old = () => aService({ clusterIP: '10.96.0.9' });

  it.each<[string, Service, (spec: Spec) => void, string[]]>([
    [
      'may leave the address out',
      old(),
      (spec) => Object.assign(spec, { clusterIP: undefined, clusterIPs: undefined }),
      [],
    ],
    ['may leave the list of addresses out', old(), (spec) => delete spec.clusterIPs, []],
    [
      'may not change the address',
      old(),
      (spec) => (spec.clusterIP = '10.96.0.10'),
      ['spec.clusterIPs[0]: Invalid value: ["10.96.0.10"]: may not change once set'],
    ],
    [
      'may not become headless',
      old(),
      (spec) => (spec.clusterIP = 'None'),
      ['spec.clusterIPs[0]: Invalid value: ["None"]: may not change once set'],
    ],
    [
      'may become a name elsewhere',
      old(),
      (spec) => Object.assign(spec, { type: 'ExternalName', externalName: 'db.example.com' }),
      [],
    ],
    [
      'may not change the class of its balancer',
      aService({ type: 'LoadBalancer', loadBalancerClass: 'example.com/a' }),
      (spec) => (spec.loadBalancerClass = 'example.com/b'),
      ['spec.loadBalancerClass: Invalid value: "example.com/b": may not change once set'],
    ],
    [
      'from a balancer to an address within drops what only balancers have',
      aService({ type: 'LoadBalancer', ports: [{ port: 80, nodePort: 30080 }] }),
      (spec) => (spec.type = 'ClusterIP'),
      [],
    ],
  ])('%s', (_what, before, change, expected) => {
    expect(updateProblems(service, before, withOut(change))).toEqual(expected);
  });

  it('keeps what was allocated and is not mentioned', () => {
    const before = created(service, aService({ type: 'NodePort', clusterIP: '10.96.0.9' }));
    before.spec.ports![0]!.nodePort = 30080;
    const after = aService({ type: 'NodePort', ports: [{ port: 8080 }] });
    service.setDefaults(after);
    service.prepareForUpdate(after, before);
    expect(after.spec).toMatchObject({
      clusterIP: '10.96.0.9',
      clusterIPs: ['10.96.0.9'],
      ports: [{ port: 8080, nodePort: 30080 }],
      ipFamilies: ['IPv4'],
    });
  });

  it('does not give a node port to a second port', () => {
    const before = created(service, aService({ type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] }));
    const after = aService({
      type: 'NodePort',
      ports: [
        { name: 'a', port: 80 },
        { name: 'b', port: 81, nodePort: 30080 },
      ],
    });
    service.prepareForUpdate(after, before);
    expect(after.spec.ports?.map(({ nodePort }) => nodePort)).toEqual([undefined, 30080]);
  });

  it('to a name elsewhere gives up the address', () => {
    const before = created(service, aService({ clusterIP: '10.96.0.9' }));
    const after = structuredClone(before);
    Object.assign(after.spec, { type: 'ExternalName', externalName: 'db.example.com' });
    service.prepareForUpdate(after, before);
    expect(Object.keys(after.spec)).not.toContain('clusterIP');
    expect(Object.keys(after.spec)).not.toContain('ipFamilies');
  });
});

describe('the status of a service', () => {
  it('names a balancer only where there is one', () => {
    const ingress = (copy: Service) => (copy.status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } });
    expect(statusProblems(service, aService({ type: 'LoadBalancer' }), ingress)).toEqual([]);
    expect(statusProblems(service, aService(), ingress)).toEqual([
      "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'",
    ]);
  });
});
