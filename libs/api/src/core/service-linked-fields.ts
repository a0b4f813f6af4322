/**
 * Fields of a Service that say the same thing twice or depend on its type. A client that changes the one
 * and knows nothing of the other must not be told that they disagree.
 * https://github.com/kubernetes/enhancements/tree/master/keps/sig-network/563-dual-stack
 */
import type { DeepReadonly } from '@periplus/apimachinery';
import { sameValue } from '../equality.ts';
import type { Service } from './service-type.ts';

type Spec = Service['spec'];
type OldSpec = DeepReadonly<Spec>;

const needsClusterIP = ({ type }: OldSpec): boolean => type !== 'ExternalName';
export const isHeadless = ({ clusterIP }: OldSpec): boolean => clusterIP === 'None';
const needsNodePort = ({ type, allocateLoadBalancerNodePorts }: OldSpec): boolean =>
  type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false);
/** Reachable from outside, so that it matters where the traffic comes in. */
export const isExternal = ({ type, externalIPs }: OldSpec): boolean =>
  type === 'NodePort' || type === 'LoadBalancer' || (type === 'ClusterIP' && (externalIPs?.length ?? 0) > 0);
/** Traffic that stays on the node it came to: balancers must learn which nodes have an endpoint. */
export const needsHealthCheck = ({ type, externalTrafficPolicy }: OldSpec): boolean =>
  type === 'LoadBalancer' && externalTrafficPolicy === 'Local';

/** `clusterIP` is the first of `clusterIPs`; old clients know only the one. */
export function linkClusterIPs(spec: Spec, old?: OldSpec): void {
  if (!old) {
    if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP];
    return;
  }
  if (spec.clusterIP === old.clusterIP) {
    if (!spec.clusterIPs?.length && old.clusterIPs) spec.clusterIPs = [...old.clusterIPs];
  } else if (sameValue(spec.clusterIPs, old.clusterIPs)) {
    if (spec.clusterIP) spec.clusterIPs = [spec.clusterIP];
    else delete spec.clusterIPs;
  }
}

/** Node ports that the update does not name stay with the port of the same name, unless another has taken them. */
function keepNodePorts(spec: Spec, old: OldSpec): void {
  const taken = new Set(spec.ports?.map(({ nodePort }) => nodePort));
  for (const port of spec.ports ?? []) {
    if (port.nodePort) continue;
    const before = old.ports?.find(({ name = '' }) => name === (port.name ?? ''))?.nodePort;
    if (!before || taken.has(before)) continue;
    port.nodePort = before;
    taken.add(before);
  }
}

/** What was allocated and is not mentioned in the update is kept, so that a manifest can be applied again. */
export function keepAllocated(spec: Spec, old: OldSpec): void {
  if (needsClusterIP(old) && needsClusterIP(spec)) {
    spec.clusterIP ||= old.clusterIP;
    if (!spec.clusterIPs?.length && spec.clusterIP === old.clusterIP && old.clusterIPs) {
      spec.clusterIPs = [...old.clusterIPs];
    }
  }
  if (needsNodePort(old) && needsNodePort(spec)) keepNodePorts(spec, old);
  if (needsHealthCheck(old) && needsHealthCheck(spec)) spec.healthCheckNodePort ||= old.healthCheckNodePort;
}

/** A field that the old type had, the new has not, and that the user did not touch goes away. */
function dropUnchanged(spec: Spec, old: OldSpec, ...fields: (keyof Spec)[]): void {
  for (const field of fields) if (sameValue(spec[field], old[field])) delete spec[field];
}

export function dropFieldsOfOldType(spec: Spec, old: OldSpec): void {
  if (needsClusterIP(old) && !needsClusterIP(spec)) {
    const isUntouched = sameValue(spec.clusterIPs, old.clusterIPs) && sameValue(spec.clusterIP, old.clusterIP);
    if (isUntouched) dropUnchanged(spec, old, 'clusterIP', 'clusterIPs');
    dropUnchanged(spec, old, 'ipFamilies', 'ipFamilyPolicy');
  }
  const portsOf = (from: OldSpec) => (from.ports ?? []).map(({ nodePort = 0 }) => nodePort);
  if (needsNodePort(old) && !needsNodePort(spec) && sameValue(portsOf(spec), portsOf(old))) {
    for (const port of spec.ports ?? []) delete port.nodePort;
  }
  if (needsHealthCheck(old) && !needsHealthCheck(spec)) dropUnchanged(spec, old, 'healthCheckNodePort');
  if (isExternal(old) && !isExternal(spec)) dropUnchanged(spec, old, 'externalTrafficPolicy');
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    dropUnchanged(spec, old, 'allocateLoadBalancerNodePorts', 'loadBalancerClass');
  }
}
