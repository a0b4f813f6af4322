import { describe, expect, it } from 'vitest';
import { dnsConfig, parseResolvConf } from './dns.ts';
import { hostsFile } from './hosts-file.ts';
import { aPod } from './pod-fixtures.ts';

const host = parseResolvConf('# here\nnameserver 192.168.0.53\nsearch office.example lan\noptions timeout:2\n');
const cluster = { servers: ['10.96.0.10'], domain: 'cluster.local' };

describe('dnsConfig', () => {
  it('asks the cluster first and keeps the search list of the node', () => {
    expect(dnsConfig(aPod(), cluster, host)).toEqual({
      servers: ['10.96.0.10'],
      searches: ['default.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'office.example', 'lan'],
      options: ['ndots:5'],
    });
  });

  it('uses the resolvers of the node where the cluster has none, and on its network', () => {
    expect(dnsConfig(aPod(), { servers: [], domain: 'cluster.local' }, host)).toEqual(host);
    expect(dnsConfig(aPod({ hostNetwork: true }), cluster, host)).toEqual(host);
    expect(dnsConfig(aPod({ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }), cluster, host).servers).toEqual(
      cluster.servers,
    );
  });

  it("adds the pod's own settings, which win", () => {
    const pod = aPod({
      dnsPolicy: 'Default',
      dnsConfig: {
        nameservers: ['1.1.1.1', '192.168.0.53'],
        searches: ['my'],
        options: [{ name: 'timeout', value: '1' }, { name: 'rotate' }],
      },
    });
    expect(dnsConfig(pod, cluster, host)).toEqual({
      servers: ['192.168.0.53', '1.1.1.1'],
      searches: ['office.example', 'lan', 'my'],
      options: ['timeout:1', 'rotate'],
    });
  });
});

describe('hostsFile', () => {
  it('names the pod, in its subdomain too, and its aliases', () => {
    const pod = aPod({ hostname: 'web-0', subdomain: 'web', hostAliases: [{ ip: '1.2.3.4', hostnames: ['a', 'b'] }] });
    const text = hostsFile(pod, ['10.0.0.2'], 'cluster.local', '');
    expect(text).toContain('10.0.0.2\tweb-0.web.default.svc.cluster.local\tweb-0\n');
    expect(text.endsWith('\n# Entries added by HostAliases.\n1.2.3.4\ta\tb\n')).toBe(true);
  });

  it("is the node's on its network", () => {
    const text = hostsFile(aPod({ hostNetwork: true }), [], 'cluster.local', '127.0.0.1 localhost\n');
    expect(text).toBe('# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n');
  });
});
