import { isIPv6 } from 'node:net';
import {
  addressesOf,
  addressOfService,
  hasAllocatorLabels,
  type IPAddress,
  ipAddress,
  isInRange,
  type Kind,
  type Service,
  service,
  serviceCIDR,
  serviceOfAddress,
} from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import type { Command } from '@periplus/client';
import { type Controller, defineController, idle, type PlannedEvent, watchRule } from '@periplus/reconcile';

type ServiceView = DeepReadonly<Service>;
type AddressView = DeepReadonly<IPAddress>;

const KIND = ipAddress as unknown as Kind;

const create = (address: string, { metadata }: ServiceView): Command => ({
  ...{ verb: 'create', kind: KIND, namespace: '', name: address },
  object: addressOfService(address, metadata),
});

const remove = ({ metadata }: AddressView): Command => ({
  ...{ verb: 'delete', kind: KIND, namespace: '', name: metadata.name!, ifUid: metadata.uid },
});

const isInAnyRange = (address: string, view: View): boolean =>
  view.list(serviceCIDR).some(({ spec }) => (spec.cidrs ?? []).some((range) => isInRange(address, range)));

/** What is wrong with the IPAddress of a service's cluster IP, and whether it is to be made anew. */
interface Finding {
  readonly reason?: string;
  readonly message?: string;
  readonly repair: boolean;
}

function examine(address: string, owner: ServiceView, found: AddressView | undefined, view: View): Finding | undefined {
  const at = `[${isIPv6(address) ? 'IPv6' : 'IPv4'}]`;
  const { namespace, name } = owner.metadata;
  if (!isInAnyRange(address, view)) {
    const message = `Cluster IP ${at}: ${address} is not within any configured Service CIDR; please recreate service`;
    return { reason: 'ClusterIPOutOfRange', message, repair: false };
  }
  if (!found) {
    const message = `Cluster IP ${at}: ${address} is not allocated; repairing`;
    return { reason: 'ClusterIPNotAllocated', message, repair: true };
  }
  const parent = serviceOfAddress(found);
  if (parent?.namespace === namespace && parent?.name === name) {
    return hasAllocatorLabels(found) ? undefined : { repair: true };
  }
  const other = parent && view.get(service, parent.namespace, parent.name);
  if (other && addressesOf(other).includes(address)) {
    const message = `Cluster IP ${at}:${address} was assigned to multiple services; please recreate service`;
    return { reason: 'ClusterIPAlreadyAllocated', message, repair: false };
  }
  const message = `the ClusterIP ${at}: ${address} for Service ${namespace}/${name} has a wrong reference; repairing`;
  return { reason: 'ClusterIPNotAllocated', message, repair: true };
}

/**
 * Sees to it that each cluster IP has an IPAddress that refers to its service: somebody may have deleted or changed it,
 * and services from before there were any have none. Follows kube-apiserver's ipallocator-repair-controller.
 */
export const addressRepairController: Controller<Service> = defineController<Service>({
  name: 'ipallocator-repair',
  for: service,
  watches: [
    watchRule(ipAddress, (now, old) =>
      [now, old].flatMap((address) => (address ? (serviceOfAddress(address) ?? []) : [])),
    ),
  ],
  reconcile({ namespace, name }, view) {
    const owner = view.get(service, namespace, name);
    if (!owner) return idle;
    const removals: Command[] = [];
    const creations: Command[] = [];
    const events: PlannedEvent[] = [];
    for (const address of addressesOf(owner)) {
      const found = view.get(ipAddress, '', address);
      const finding = examine(address, owner, found, view);
      if (finding?.reason) {
        events.push({ about: owner, type: 'Warning', reason: finding.reason, message: finding.message! });
      }
      if (!finding?.repair) continue;
      if (found) removals.push(remove(found));
      creations.push(create(address, owner));
    }
    return { steps: [removals, creations], events };
  },
});
