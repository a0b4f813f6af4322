import { endpointSlice, type Node, node, pod, type Service, sameValue, service } from '@periplus/api';
import { type DeepReadonly, ownerReferenceTo, selectorOfLabels } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import type { Command } from '@periplus/client';
import { defineController, idle, type ObjectRef, type Plan, watchRule } from '@periplus/reconcile';
import { childNames } from '../child-names.ts';
import { podsOnNode } from '../node/node-controller.ts';
import type { PodView } from '../pod-state.ts';
import {
  type AddressType,
  addressesOf,
  addressTypesOf,
  type Endpoint,
  endpointOf,
  isEndpoint,
  type Port,
  portsOf,
  type ServiceView,
  type SliceView,
} from './endpoints.ts';
import { HEADLESS_LABEL, isManagedSlice, MANAGED_BY_LABEL, SERVICE_LABEL, SLICE_MANAGER } from './slice-labels.ts';
import { packEndpoints } from './slice-packing.ts';

/** Every node's proxy follows each change of a slice: pods that come up one after the other are told of together. */
const REST_MS = 100;
const ZONE_LABEL = 'topology.kubernetes.io/zone';

/** Keeps the EndpointSlices of Services that have a selector. */
export const endpointSliceController = defineController<Service>({
  name: 'endpointslice',
  for: service,
  owns: [endpointSlice],
  watches: [
    watchRule(
      pod,
      (now, old, view) => (now && old && !differs(now, old) ? [] : servicesOf(now, old, view)),
      ({ entry }, view) => view.list(service, entry.key.namespace).some(({ spec }) => spec.selector),
    ),
    watchRule(node, (now, old, view) => (zoneOf(now) === zoneOf(old) ? [] : servicesOnNode((now ?? old)!, view))),
  ],
  indexes: [podsOnNode],
  restMs: REST_MS,
  reconcile({ namespace, name }, view) {
    const found = view.get(service, namespace, name);
    const hasSelector = Object.keys(found?.spec.selector ?? {}).length > 0;
    if (!found || !hasSelector || found.metadata.deletionTimestamp || found.spec.type === 'ExternalName') return idle;
    return planSlices(found, view);
  },
});

/** Whether a pod changed in what its endpoint shows. */
const differs = (now: PodView, old: PodView): boolean =>
  now.status?.phase !== old.status?.phase ||
  now.metadata.deletionTimestamp !== old.metadata.deletionTimestamp ||
  now.spec.nodeName !== old.spec.nodeName ||
  !sameValue(now.metadata.labels, old.metadata.labels) ||
  !sameValue(now.status?.podIPs, old.status?.podIPs) ||
  !sameValue(now.status?.conditions, old.status?.conditions);

function servicesOf(now: PodView | null, old: PodView | null, view: View): ObjectRef[] {
  const { namespace = '' } = (now ?? old)!.metadata;
  return view
    .list(service, namespace)
    .filter(({ spec }) => {
      if (!spec.selector) return false;
      const selector = Object.entries(spec.selector);
      const matches = (of: PodView | null): boolean =>
        of !== null && selector.every(([label, value]) => of.metadata.labels?.[label] === value);
      return matches(now) || matches(old);
    })
    .map(({ metadata }) => ({ namespace, name: metadata.name ?? '' }));
}

const zoneOf = (of: DeepReadonly<Node> | null | undefined): string | undefined => of?.metadata.labels?.[ZONE_LABEL];

const servicesOnNode = (of: DeepReadonly<Node>, view: View): ObjectRef[] =>
  view.index(podsOnNode, of.metadata.name ?? '').flatMap((target) => servicesOf(target, null, view));

/** Slices of one family whose endpoints are reached through the same ports. */
interface Group {
  type: AddressType;
  ports: Port[];
  endpoints: Endpoint[];
  slices: SliceView[];
}

function planSlices(of: ServiceView, view: View): Plan {
  const slices = view.owned(endpointSlice, of.metadata.uid ?? '').filter(isManagedSlice);
  const groups = groupsOf(of, slices, view);
  const commands: Command[] = [];
  const removed: SliceView[] = [];
  const wanted: { group: Group; endpoints: Endpoint[] }[] = [];
  for (const group of groups) {
    if (isObsolete(group, groups)) {
      removed.push(...group.slices);
      continue;
    }
    // What says that there is nothing says so of no port.
    if (group.endpoints.length === 0 && group.ports.length > 0) {
      removed.push(...group.slices);
      wanted.push({ group: { ...group, ports: [] }, endpoints: [] });
      continue;
    }
    const { update, create, remove } = packEndpoints(group.slices, group.endpoints);
    for (const slice of group.slices) {
      if (remove.includes(slice)) removed.push(slice);
      else commands.push(...change(of, slice, update.get(slice)));
    }
    wanted.push(...create.map((endpoints) => ({ group, endpoints })));
  }
  // A slice that is not needed any more becomes one that is.
  const created = wanted.filter(({ group, endpoints }) => {
    const at = removed.findIndex(({ addressType }) => addressType === group.type);
    if (at >= 0) commands.push(...change(of, removed.splice(at, 1)[0]!, endpoints, group.ports));
    return at < 0;
  });
  commands.push(...removed.map(deletion));
  const names = namesFor(of, created.length, view);
  commands.push(...created.map(({ group, endpoints }, at) => creation(of, group, endpoints, names[at]!)));
  return commands.length > 0 ? { steps: [commands] } : idle;
}

/** Of ports that no pod has any more nothing stays, unless it is all that its family has. */
function isObsolete(group: Group, groups: readonly Group[]): boolean {
  if (group.endpoints.length > 0) return false;
  const family = groups.filter(({ type }) => type === group.type);
  return family.some(({ endpoints }) => endpoints.length > 0) || family[0] !== group;
}

function groupsOf(of: ServiceView, slices: readonly SliceView[], view: View): readonly Group[] {
  const groups = new Map<string, Group>();
  const groupOf = (type: AddressType, ports: Port[]): Group => {
    const key = JSON.stringify([type, [...ports].sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1))]);
    const group = groups.get(key) ?? { type, ports, endpoints: [], slices: [] };
    groups.set(key, group);
    return group;
  };
  const selector = selectorOfLabels(of.spec.selector);
  const types = addressTypesOf(of);
  for (const candidate of view.list(pod, of.metadata.namespace)) {
    if (!selector.matches(candidate.metadata.labels) || !isEndpoint(candidate)) continue;
    for (const type of types) {
      const addresses = addressesOf(candidate, type);
      if (addresses.length === 0) continue;
      const zone = zoneOf(view.get(node, '', candidate.spec.nodeName ?? ''));
      groupOf(type, portsOf(of, candidate)).endpoints.push(endpointOf(of, candidate, addresses, zone));
    }
  }
  for (const slice of slices) {
    const ports = (slice.ports ?? []).map(({ name = '', protocol = 'TCP', port, appProtocol }) => ({
      name,
      protocol,
      port,
      ...(appProtocol && { appProtocol }),
    }));
    groupOf(slice.addressType === 'IPv6' ? 'IPv6' : 'IPv4', ports).slices.push(slice);
  }
  // A Service without endpoints has an empty slice of each family, so that it can be told from one not looked at yet.
  for (const type of types) {
    if (![...groups.values()].some((group) => group.type === type)) groupOf(type, []);
  }
  return [...groups.values()];
}

const target = ({ metadata }: SliceView) => ({
  kind: endpointSlice,
  namespace: metadata.namespace ?? '',
  name: metadata.name ?? '',
  ifUid: metadata.uid,
  ifResourceVersion: metadata.resourceVersion,
});

const deletion = (slice: SliceView): Command => ({ ...target(slice), verb: 'delete' });

/** The labels of the Service are those of its slices, beside the ones that say whose they are. */
const labelsOf = ({ metadata, spec }: ServiceView): Record<string, string> => ({
  ...metadata.labels,
  [SERVICE_LABEL]: metadata.name ?? '',
  [MANAGED_BY_LABEL]: SLICE_MANAGER,
  ...(spec.clusterIP === 'None' && { [HEADLESS_LABEL]: '' }),
});

function change(of: ServiceView, slice: SliceView, endpoints: Endpoint[] | undefined, ports?: Port[]): Command[] {
  const labels = labelsOf(of);
  const areLabelsSame = sameValue(labels, slice.metadata.labels);
  if (!endpoints && areLabelsSame) return [];
  const dropped = Object.keys(slice.metadata.labels ?? {}).filter((label) => !(label in labels));
  const relabelled = { ...labels, ...Object.fromEntries(dropped.map((label) => [label, null])) };
  const patch = {
    ...(endpoints && { endpoints }),
    ...(ports && { ports }),
    ...(!areLabelsSame && { metadata: { labels: relabelled } }),
  };
  return [{ ...target(slice), verb: 'patch', type: 'merge', patch }];
}

function namesFor({ metadata }: ServiceView, count: number, view: View): readonly string[] {
  const { namespace = '', name = '', uid } = metadata;
  const isTaken = (candidate: string): boolean => view.get(endpointSlice, namespace, candidate) !== undefined;
  return childNames(`${name}-`, `${uid}/slices`, count, isTaken);
}

function creation(of: ServiceView, { type, ports }: Group, endpoints: Endpoint[], name: string): Command {
  const { namespace = '' } = of.metadata;
  const object: SliceView = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name,
      generateName: `${of.metadata.name}-`,
      namespace,
      labels: labelsOf(of),
      ownerReferences: [ownerReferenceTo(of, service)],
    },
    addressType: type,
    endpoints,
    ports,
  };
  return { kind: endpointSlice, namespace, name, verb: 'create', object };
}
