import { isIPv6 } from 'node:net';
import {
  type EndpointSlice,
  type Endpoints,
  endpointSlice,
  endpoints,
  lenientAddress,
  sameValue,
  service,
} from '@periplus/api';
import { type DeepReadonly, ownerReferenceTo } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import type { Command } from '@periplus/client';
import { defineController, idle, watchRule } from '@periplus/reconcile';
import { childNames } from '../child-names.ts';
import { MANAGED_BY_LABEL, SERVICE_LABEL } from '../endpoint-slice/slice-labels.ts';

const MIRROR = 'endpointslicemirroring-controller.k8s.io';
const SKIP_LABEL = 'endpointslice.kubernetes.io/skip-mirror';
const LEADER_ANNOTATION = 'control-plane.alpha.kubernetes.io/leader';
/** What `kubectl apply` keeps of an object is no business of its copies. */
const NOT_COPIED = [
  'kubectl.kubernetes.io/last-applied-configuration',
  'endpoints.kubernetes.io/last-change-trigger-time',
];
/** Of one subset and family; what is beyond is left out. */
const ENDPOINTS_MAX = 1_000;
/** In one slice, as everywhere. */
const SLICE_MAX = 100;

type Source = DeepReadonly<Endpoints>;
type Slice = DeepReadonly<EndpointSlice>;
type Subset = NonNullable<Source['subsets']>[number];
type Address = NonNullable<Subset['addresses']>[number];
type Wanted = Pick<EndpointSlice, 'addressType' | 'endpoints' | 'ports'>;

const isMirrored = ({ metadata }: Source): boolean =>
  metadata.labels?.[SKIP_LABEL] !== 'true' && metadata.annotations?.[LEADER_ANNOTATION] === undefined;

/**
 * Copies Endpoints that somebody wrote by hand, for a Service without a selector, to EndpointSlices: proxies read those.
 * https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#endpointslice-mirroring
 */
export const mirroringController = defineController<Endpoints>({
  name: 'endpointslicemirroring',
  for: endpoints,
  owns: [endpointSlice],
  watches: [
    watchRule(service, (now, old) => {
      if (sameValue(now?.spec.selector, old?.spec.selector) && now !== null && old !== null) return [];
      const { namespace = '', name = '' } = (now ?? old)!.metadata;
      return [{ namespace, name }];
    }),
  ],
  reconcile({ namespace, name }, view) {
    const source = view.get(endpoints, namespace, name);
    if (!source || source.metadata.deletionTimestamp) return idle;
    const of = view.get(service, namespace, name);
    const isWanted = of !== undefined && Object.keys(of.spec.selector ?? {}).length === 0 && isMirrored(source);
    const wanted = isWanted ? (source.subsets ?? []).flatMap(slicesOf) : [];
    const slices = view
      .owned(endpointSlice, source.metadata.uid ?? '')
      .filter(({ metadata }) => metadata.labels?.[MANAGED_BY_LABEL] === MIRROR && !metadata.deletionTimestamp);
    const commands = planMirror(source, wanted, slices, view);
    return commands.length > 0 ? { steps: [commands] } : idle;
  },
});

/** A subset as slices: one family each, the ready ones first. */
function slicesOf({ addresses = [], notReadyAddresses = [], ports = [] }: Subset): Wanted[] {
  const all = [
    ...addresses.map((address) => ({ address, ready: true })),
    ...notReadyAddresses.map((address) => ({ address, ready: false })),
  ];
  return (['IPv4', 'IPv6'] as const).flatMap((addressType) => {
    const own = all
      .filter(({ address }) => isIPv6(address.ip) === (addressType === 'IPv6'))
      .slice(0, ENDPOINTS_MAX)
      .map(({ address, ready }) => endpointOf(address, ready));
    const pieces: Wanted[] = [];
    for (let i = 0; i < own.length; i += SLICE_MAX) {
      pieces.push({ addressType, endpoints: own.slice(i, i + SLICE_MAX), ports: ports.map(portOf) });
    }
    return pieces;
  });
}

const endpointOf = ({ ip, hostname, nodeName, targetRef }: Address, ready: boolean) => ({
  addresses: [lenientAddress(ip) ?? ip],
  conditions: { ready, serving: ready, terminating: false },
  ...(hostname && { hostname }),
  ...(nodeName && { nodeName }),
  ...(targetRef && { targetRef: { ...targetRef } }),
});

const portOf = ({ name = '', port, protocol = 'TCP', appProtocol }: NonNullable<Subset['ports']>[number]) => ({
  ...{ name, port, protocol },
  ...(appProtocol && { appProtocol }),
});

const copied = (values: DeepReadonly<Record<string, string>> | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(values ?? {}).filter(([name]) => !NOT_COPIED.includes(name)));

const target = ({ metadata }: Slice) => ({
  kind: endpointSlice,
  namespace: metadata.namespace ?? '',
  name: metadata.name ?? '',
  ifUid: metadata.uid,
  ifResourceVersion: metadata.resourceVersion,
});

/** A slice keeps its ports and family, so one that has them takes over the new endpoints; the rest goes or is made. */
function planMirror(source: Source, wanted: readonly Wanted[], slices: readonly Slice[], view: View): Command[] {
  const { namespace = '', name = '', uid } = source.metadata;
  const labels = { ...copied(source.metadata.labels), [SERVICE_LABEL]: name, [MANAGED_BY_LABEL]: MIRROR };
  const annotations = copied(source.metadata.annotations);
  const free = new Set(slices);
  const missing: Wanted[] = [];
  const commands: Command[] = [];
  for (const one of wanted) {
    const slice = [...free].find((each) => each.addressType === one.addressType && sameValue(each.ports, one.ports));
    if (!slice) {
      missing.push(one);
      continue;
    }
    free.delete(slice);
    if (sameValue(slice.endpoints, one.endpoints) && sameValue(slice.metadata.labels, labels)) continue;
    const dropped = Object.keys(slice.metadata.labels ?? {}).filter((label) => !(label in labels));
    const relabelled = { ...labels, ...Object.fromEntries(dropped.map((label) => [label, null])) };
    const patch = { endpoints: one.endpoints, metadata: { labels: relabelled } };
    commands.push({ ...target(slice), verb: 'patch', type: 'merge', patch });
  }
  for (const slice of free) commands.push({ ...target(slice), verb: 'delete' });
  const isTaken = (candidate: string): boolean => view.get(endpointSlice, namespace, candidate) !== undefined;
  const names = childNames(`${name}-`, `${uid}/mirrored`, missing.length, isTaken);
  missing.forEach((one, i) => {
    const object: EndpointSlice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: names[i]!,
        generateName: `${name}-`,
        namespace,
        labels,
        ...(Object.keys(annotations).length > 0 && { annotations }),
        ownerReferences: [ownerReferenceTo(source, endpoints)],
      },
      ...one,
    };
    commands.push({ kind: endpointSlice, namespace, name: names[i]!, verb: 'create', object });
  });
  return commands;
}
