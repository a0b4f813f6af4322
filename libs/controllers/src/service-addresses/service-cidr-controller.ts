import {
  ipAddress,
  isAllocatedAddress,
  isInRange,
  isReadyServiceCIDR,
  type Kind,
  SERVICE_CIDR_PROTECTION,
  type ServiceCIDR,
  serviceCIDR,
} from '@periplus/api';
import { type DeepReadonly, formatTime, parseTime } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import type { Command } from '@periplus/client';
import { type Controller, defineController, idle, type ObjectRef, type Plan, watchRule } from '@periplus/reconcile';
import { setStatus } from '../status-change.ts';
import { release } from '../volume-protection/release.ts';

type Range = DeepReadonly<ServiceCIDR>;

/** By then every api-server has heard that nothing is to be taken from a range any more. */
const FAREWELL_MS = 10_000;
const READY = 'Ready';

const contains = ({ spec }: Range, address: string): boolean =>
  (spec.cidrs ?? []).some((range) => isInRange(address, range));

/** Those that are to go, and wait for something. */
const ending = (view: View): ObjectRef[] =>
  view
    .list(serviceCIDR)
    .filter(({ metadata }) => metadata.deletionTimestamp)
    .map(({ metadata }) => ({ namespace: '', name: metadata.name! }));

/** Whether addresses of services would be in no range without this one. */
function isNeeded(range: Range, view: View): boolean {
  const others = view.list(serviceCIDR).filter(({ metadata }) => !metadata.deletionTimestamp);
  return view
    .list(ipAddress)
    .filter((address) => isAllocatedAddress(address) && contains(range, address.metadata.name!))
    .some(({ metadata }) => !others.some((other) => contains(other, metadata.name!)));
}

function setReady(range: Range, nowMs: number, said: { status: string; reason: string; message: string }): Command[] {
  const all = range.status?.conditions ?? [];
  const before = all.find(({ type }) => type === READY);
  if (before?.status === said.status && before.reason === said.reason) return [];
  const condition = { type: READY, lastTransitionTime: formatTime(nowMs), ...said };
  const conditions = [...all.filter(({ type }) => type !== READY), condition];
  return setStatus(serviceCIDR as unknown as Kind, range, { ...range.status, conditions });
}

const protect = ({ metadata }: Range): Command[] =>
  metadata.finalizers?.includes(SERVICE_CIDR_PROTECTION)
    ? []
    : [
        {
          ...{
            verb: 'patch',
            type: 'merge',
            kind: serviceCIDR as unknown as Kind,
            namespace: '',
            name: metadata.name!,
          },
          ...{ ifUid: metadata.uid, ifResourceVersion: metadata.resourceVersion },
          patch: { metadata: { finalizers: [...(metadata.finalizers ?? []), SERVICE_CIDR_PROTECTION] } },
        },
      ];

function end(range: Range, view: View): Plan {
  if (isNeeded(range, view)) {
    const message =
      'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR';
    return { steps: [setReady(range, view.nowMs, { status: 'False', reason: 'Terminating', message })] };
  }
  const leftMs = (parseTime(range.metadata.deletionTimestamp!) ?? 0) + FAREWELL_MS - view.nowMs;
  if (leftMs > 0) return { steps: [], lookAgainMs: leftMs };
  return release(serviceCIDR as unknown as Kind, range, SERVICE_CIDR_PROTECTION, () => false);
}

/**
 * Lets addresses of services be taken from ServiceCIDRs, and keeps one that is to go as long as addresses have no other.
 * https://kubernetes.io/docs/tasks/network/extend-service-ip-ranges/
 */
export const serviceCidrController: Controller<ServiceCIDR> = defineController<ServiceCIDR>({
  name: 'service-cidrs',
  for: serviceCIDR,
  watches: [
    watchRule(
      ipAddress,
      (_now, _old, view) => ending(view),
      ({ type }) => type === 'deleted',
    ),
    watchRule(serviceCIDR, (_now, _old, view) => ending(view)),
  ],
  reconcile({ name }, view) {
    const range = view.get(serviceCIDR, '', name);
    if (!range) return idle;
    if (range.metadata.deletionTimestamp) return end(range, view);
    const hasReady = range.status?.conditions?.some(({ type }) => type === READY) ?? false;
    const message = 'Kubernetes Service CIDR is ready';
    const ready =
      hasReady && isReadyServiceCIDR(range) ? [] : setReady(range, view.nowMs, { status: 'True', reason: '', message });
    return { steps: [protect(range), ready] };
  },
});
