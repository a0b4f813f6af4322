import type { Pod } from './pod-types.ts';

const HOSTNAME_CHARS_MAX = 63;

/** The pod's host name, cut to what the kernel takes. */
export const hostnameOf = ({ metadata, spec }: Pod): string =>
  (spec.hostname ?? metadata.name).slice(0, HOSTNAME_CHARS_MAX).replace(/[-.]+$/, '');

/** `hostname.subdomain.namespace.svc.domain`, or '' for pods outside of any subdomain. */
export const fqdnOf = (pod: Pod, domain: string): string =>
  pod.spec.subdomain ? `${hostnameOf(pod)}.${pod.spec.subdomain}.${pod.metadata.namespace}.svc.${domain}` : '';

const LOCAL = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::0\tip6-localnet',
  'fe00::0\tip6-mcastprefix',
  'fe00::1\tip6-allnodes',
  'fe00::2\tip6-allrouters',
];

/** /etc/hosts of the pod's containers; `hostFile` is the node's own, for pods on its network. */
export function hostsFile(pod: Pod, addresses: readonly string[], domain: string, hostFile: string): string {
  const aliases = pod.spec.hostAliases ?? [];
  const added = aliases.map(({ ip, hostnames = [] }) => [ip, ...hostnames].join('\t'));
  const tail = added.length > 0 ? `\n# Entries added by HostAliases.\n${added.join('\n')}\n` : '';
  if (pod.spec.hostNetwork) return `# Kubernetes-managed hosts file (host network).\n${hostFile}${tail}`;
  const fqdn = fqdnOf(pod, domain);
  const own = addresses.map((address) => [address, ...(fqdn ? [fqdn] : []), hostnameOf(pod)].join('\t'));
  return `# Kubernetes-managed hosts file.\n${[...LOCAL, ...own].join('\n')}\n${tail}`;
}
