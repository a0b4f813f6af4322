import {
  addressesOf,
  type IPAddress,
  ipAddress,
  isAllocatedAddress,
  type Kind,
  service,
  serviceOfAddress,
} from '@periplus/api';
import { type DeepReadonly, parseTime } from '@periplus/apimachinery';
import { type Controller, defineController, idle, type Plan, watchRule } from '@periplus/reconcile';

/** Whoever makes an IPAddress before its service has this long for the service. As kube-apiserver. */
const ORPHAN_MS = 60_000;

function cleanUp(address: DeepReadonly<IPAddress>, reason: string, message: string): Plan {
  const { name = '', uid: ifUid, resourceVersion: ifResourceVersion } = address.metadata;
  const kind = ipAddress as unknown as Kind;
  return {
    steps: [[{ verb: 'delete', kind, namespace: '', name, ifUid, ifResourceVersion }]],
    events: [{ about: address, type: 'Warning', reason, message: `${message}cleaning up` }],
  };
}

/**
 * Deletes IPAddresses that were made for services and that no service has: left over by somebody's changes. Follows
 * kube-apiserver's ipallocator-repair-controller.
 */
export const addressCleaner: Controller<IPAddress> = defineController<IPAddress>({
  name: 'ipaddress-cleaner',
  for: ipAddress,
  watches: [
    watchRule(service, (now, old) => {
      const kept = now ? addressesOf(now) : [];
      const given = old ? addressesOf(old).filter((address) => !kept.includes(address)) : [];
      return given.map((name) => ({ namespace: '', name }));
    }),
  ],
  reportsAs: 'ipallocator-repair-controller',
  reconcile({ name }, view) {
    const address = view.get(ipAddress, '', name);
    if (!address || address.metadata.deletionTimestamp || !isAllocatedAddress(address)) return idle;
    const parent = serviceOfAddress(address);
    if (!parent) {
      const what = `IPAddress ${name} appears to have been modified, not referencing a Service ${JSON.stringify(address.spec.parentRef)}: `;
      return cleanUp(address, 'IPAddressNotAllocated', what);
    }
    const what = `IPAddress: ${name} for Service ${parent.namespace}/${parent.name}`;
    const owner = view.get(service, parent.namespace, parent.name);
    if (owner) {
      return addressesOf(owner).includes(name)
        ? idle
        : cleanUp(address, 'IPAddressWrongReference', `${what} has a wrong reference; `);
    }
    const leftMs = (parseTime(address.metadata.creationTimestamp ?? '') ?? 0) + ORPHAN_MS - view.nowMs;
    if (leftMs > 0) return { steps: [], lookAgainMs: leftMs };
    return cleanUp(address, 'IPAddressNotAllocated', `${what} appears to have leaked: `);
  },
});
