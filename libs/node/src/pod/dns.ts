/** What stands in a pod's /etc/resolv.conf. https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/ */
import type { Pod } from './pod-types.ts';

export interface DnsConfig {
  servers: string[];
  searches: string[];
  options: string[];
}

export interface ClusterDns {
  /** Empty: the cluster has no DNS service, and pods use the node's resolvers. */
  servers: readonly string[];
  /** "cluster.local". */
  domain: string;
}

const SERVERS_MAX = 3;
const SEARCHES_MAX = 32;

export function parseResolvConf(text: string): DnsConfig {
  const config: DnsConfig = { servers: [], searches: [], options: [] };
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line.trim().split(/\s+/);
    if (keyword === 'nameserver' && words[0]) config.servers.push(words[0]);
    // The last one wins.
    else if (keyword === 'search' || keyword === 'domain') config.searches = words.filter((word) => word !== '.');
    else if (keyword === 'options') config.options.push(...words);
  }
  return config;
}

const unique = <T>(list: readonly T[]): T[] => [...new Set(list)];

/** The pod's own options override those of the policy by name: `ndots:2`. */
function mergedOptions(base: readonly string[], own: readonly { name?: string; value?: string }[]): string[] {
  const merged = new Map(base.map((option) => [option.split(':')[0]!, option]));
  for (const { name, value } of own) if (name) merged.set(name, value === undefined ? name : `${name}:${value}`);
  return [...merged.values()];
}

export function dnsConfig({ metadata, spec }: Pod, cluster: ClusterDns, host: DnsConfig): DnsConfig {
  const { dnsPolicy = 'ClusterFirst', dnsConfig: own = {} } = spec;
  const usesCluster =
    cluster.servers.length > 0 &&
    (dnsPolicy === 'ClusterFirstWithHostNet' || (dnsPolicy === 'ClusterFirst' && !spec.hostNetwork));
  const base: DnsConfig = usesCluster
    ? {
        servers: [...cluster.servers],
        searches: [
          `${metadata.namespace}.svc.${cluster.domain}`,
          `svc.${cluster.domain}`,
          cluster.domain,
          ...host.searches,
        ],
        options: ['ndots:5'],
      }
    : dnsPolicy === 'None'
      ? { servers: [], searches: [], options: [] }
      : host;
  return {
    servers: unique([...base.servers, ...(own.nameservers ?? [])]).slice(0, SERVERS_MAX),
    searches: unique([...base.searches, ...(own.searches ?? [])]).slice(0, SEARCHES_MAX),
    options: mergedOptions(base.options, own.options ?? []),
  };
}
