/** Values of a pod that its own containers can ask for: the downward API. https://kubernetes.io/docs/concepts/workloads/pods/downward-api/ */
import { parseQuantity } from '@periplus/apimachinery';
import { ConfigError } from './config-error.ts';
import type { Container, Pod } from './pod-types.ts';

export interface NodeFacts {
  name: string;
  addresses: readonly string[];
  /** What containers without a limit can use: `status.allocatable`. */
  allocatable: Readonly<Record<string, string>>;
}

/** One line per label, sorted: the form of labels and annotations in files. */
const asLines = (entries: Record<string, string> = {}): string =>
  Object.keys(entries)
    .sort()
    .map((key) => `${key}=${JSON.stringify(entries[key])}`)
    .join('\n');

/** The value of a fieldRef. Throws ConfigError for a path that is not known. */
export function podField(pod: Pod, path: string, addresses: readonly string[], node: NodeFacts): string {
  const keyed = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (keyed) return pod.metadata[keyed[1] as 'labels' | 'annotations']?.[keyed[2]!] ?? '';
  switch (path) {
    case 'metadata.name':
      return pod.metadata.name;
    case 'metadata.namespace':
      return pod.metadata.namespace;
    case 'metadata.uid':
      return pod.metadata.uid;
    case 'metadata.labels':
      return asLines(pod.metadata.labels);
    case 'metadata.annotations':
      return asLines(pod.metadata.annotations);
    case 'spec.nodeName':
      return node.name;
    case 'spec.serviceAccountName':
      return pod.spec.serviceAccountName ?? '';
    case 'status.hostIP':
      return node.addresses[0] ?? '';
    case 'status.hostIPs':
      return node.addresses.join(',');
    case 'status.podIP':
      return addresses[0] ?? '';
    case 'status.podIPs':
      return addresses.join(',');
    default:
      throw new ConfigError(`unsupported fieldPath: ${path}`);
  }
}

/** The value of a resourceFieldRef, in units of its divisor, rounded up. A missing limit is what the node has. */
export function resourceField(
  container: Container,
  ref: { resource: string; divisor?: string | number },
  node: NodeFacts,
): string {
  const match = /^(limits|requests)\.(.+)$/.exec(ref.resource);
  if (!match) throw new ConfigError(`unsupported container resource : ${ref.resource}`);
  const [, list, name] = match as unknown as [string, 'limits' | 'requests', string];
  const stated = container.resources?.[list]?.[name];
  const given = stated ?? (list === 'limits' ? node.allocatable[name] : undefined) ?? '0';
  const divisor = parseQuantity(ref.divisor === undefined || String(ref.divisor) === '0' ? '1' : ref.divisor).nano;
  const amount = parseQuantity(given).nano;
  return String((amount + divisor - 1n) / divisor);
}
