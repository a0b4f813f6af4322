/** Which endpoints a Service has, and through which ports. https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/ */
import { type EndpointSlice, lenientAddress, type Service } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import { hasEnded, isReady, type PodView } from '../pod-state.ts';

export type ServiceView = DeepReadonly<Service>;
export type SliceView = DeepReadonly<EndpointSlice>;
export type Endpoint = NonNullable<SliceView['endpoints']>[number];
export type Port = NonNullable<SliceView['ports']>[number];
export type AddressType = 'IPv4' | 'IPv6';

type ServicePort = NonNullable<ServiceView['spec']['ports']>[number];

/** The families of a Service's addresses; a slice holds one. */
export const addressTypesOf = ({ spec }: ServiceView): AddressType[] => {
  const families = spec.ipFamilies?.length ? spec.ipFamilies : [spec.clusterIP?.includes(':') ? 'IPv6' : 'IPv4'];
  return families.map((family) => (family === 'IPv6' ? 'IPv6' : 'IPv4'));
};

const isIPv6 = (address: string): boolean => address.includes(':');

/** The addresses of a pod that belong in a slice of `type`. */
export function addressesOf({ status }: PodView, type: AddressType): string[] {
  const all = status?.podIPs?.flatMap(({ ip }) => ip ?? []) ?? [];
  const addresses = all.length > 0 ? all : status?.podIP ? [status.podIP] : [];
  return addresses
    .filter((address) => isIPv6(address) === (type === 'IPv6'))
    .map((address) => lenientAddress(address) ?? address);
}

/** A pod that has ended or has no address is no endpoint; one that is being deleted is, until it ends. */
export const isEndpoint = (pod: PodView): boolean => !hasEnded(pod);

/** The number behind a port of the Service on this pod, undefined when the pod has no port of that name. */
function targetPort(port: ServicePort, { spec }: PodView): number | undefined {
  const { targetPort: wanted = port.port, protocol = 'TCP' } = port;
  if (typeof wanted === 'number') return wanted;
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  for (const container of [...spec.containers, ...sidecars]) {
    const named = container.ports?.find((p) => p.name === wanted && (p.protocol ?? 'TCP') === protocol);
    if (named) return named.containerPort;
  }
  return undefined;
}

export const portsOf = ({ spec }: ServiceView, pod: PodView): Port[] =>
  (spec.ports ?? []).flatMap((port) => {
    const number = targetPort(port, pod);
    if (number === undefined) return [];
    const { name = '', protocol = 'TCP', appProtocol } = port;
    return [{ name, protocol, port: number, ...(appProtocol && { appProtocol }) }];
  });

/**
 * Ready means that traffic should go there: serving, and not on its way out; a Service may ask for its endpoints
 * whether ready or not.
 */
export function endpointOf(
  service: ServiceView,
  pod: PodView,
  addresses: string[],
  zone: string | undefined,
): Endpoint {
  const { name, namespace, uid, deletionTimestamp } = pod.metadata;
  const { hostname, subdomain, nodeName } = pod.spec;
  const serving = isReady(pod);
  const terminating = deletionTimestamp !== undefined;
  const hasName = hostname && subdomain === service.metadata.name;
  return {
    addresses,
    conditions: {
      ready: service.spec.publishNotReadyAddresses === true || (serving && !terminating),
      serving,
      terminating,
    },
    ...(hasName && { hostname }),
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(nodeName && { nodeName }),
    ...(zone && { zone }),
  };
}
