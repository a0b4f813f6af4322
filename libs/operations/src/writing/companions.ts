import { addressesOf, type Kind, keeperOf, type PersistentVolume, type Pod, type Service } from '@periplus/api';
import type { DeepReadonly, KubeObject } from '@periplus/apimachinery';
import { allocationPath, type Companion, inboxPath } from '@periplus/store';

type State = DeepReadonly<KubeObject> | null;

export const CLUSTER_IPS = 'clusterips';
export const NODE_PORTS = 'nodeports';

/** A node finds its pods in its inbox, */
function podInbox(pod: DeepReadonly<Pod> | null): string | undefined {
  const node = pod?.spec.nodeName;
  return node ? inboxPath(node, 'pods', pod.metadata.namespace!, pod.metadata.name!) : undefined;
}

/** and the volumes that it keeps. */
function volumeInbox(volume: DeepReadonly<PersistentVolume> | null): string | undefined {
  const node = volume && keeperOf(volume);
  return node ? inboxPath(node, 'persistentvolumes', volume.metadata.name!) : undefined;
}

function inboxCompanions(inbox: string | undefined, before: string | undefined): Companion[] {
  const companions: Companion[] = inbox === undefined ? [] : [{ path: inbox, put: 'record' }];
  if (before !== undefined && before !== inbox) companions.push({ path: before, delete: true });
  return companions;
}

/** The addresses and ports that a service holds. A port of two protocols is held once. */
export function allocationsOf(service: DeepReadonly<Service> | null): Set<string> {
  const held = new Set<string>();
  const spec = service?.spec;
  if (!spec) return held;
  for (const address of addressesOf(service)) held.add(allocationPath(CLUSTER_IPS, address));
  for (const { nodePort } of spec.ports ?? []) if (nodePort) held.add(allocationPath(NODE_PORTS, String(nodePort)));
  if (spec.healthCheckNodePort) held.add(allocationPath(NODE_PORTS, String(spec.healthCheckNodePort)));
  return held;
}

function serviceCompanions(now: DeepReadonly<Service> | null, old: DeepReadonly<Service> | null): Companion[] {
  const held = allocationsOf(old);
  const wanted = allocationsOf(now);
  const { namespace, name } = (now ?? old)!.metadata;
  const owner = Buffer.from(`core/services/${namespace}/${name}`);
  const companions: Companion[] = [];
  for (const path of wanted) if (!held.has(path)) companions.push({ path, put: owner, ifAbsent: true });
  for (const path of held) if (!wanted.has(path)) companions.push({ path, delete: true });
  return companions;
}

const NONE: readonly Companion[] = [];

/** The keys that change with an object, in the same transaction. `kind` is the stored one. */
export function companionsOf(kind: Kind, now: State, old: State): readonly Companion[] {
  if (kind.group !== '') return NONE;
  if (kind.plural === 'pods') {
    return inboxCompanions(podInbox(now as DeepReadonly<Pod> | null), podInbox(old as DeepReadonly<Pod> | null));
  }
  if (kind.plural === 'persistentvolumes') {
    const [volume, before] = [now, old] as (DeepReadonly<PersistentVolume> | null)[];
    return inboxCompanions(volumeInbox(volume ?? null), volumeInbox(before ?? null));
  }
  if (kind.plural === 'services') {
    return serviceCompanions(now as DeepReadonly<Service> | null, old as DeepReadonly<Service> | null);
  }
  return NONE;
}
