import {
  deployment,
  type Kind,
  type KindRegistry,
  replicaSet,
  replicationController,
  scaleOf,
  statefulSet,
} from '@periplus/api';
import { controllerOf, type DeepReadonly, type OwnerReference, parseApiVersion } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import type { PodView } from '../pod-state.ts';

/** What says how many pods there should be. */
interface Scaled {
  uid: string;
  replicas: number;
}

type Owner = DeepReadonly<OwnerReference>;
interface Problem {
  problem: string;
}

const groupOf = ({ apiVersion }: Owner): string => parseApiVersion(apiVersion)?.group ?? '';
const isA = (kind: Kind, owner: Owner): boolean => owner.kind === kind.kind && groupOf(owner) === kind.group;

/** These are found whatever version of them a reference names. */
const WORKLOADS: readonly Kind[] = [replicationController, replicaSet, statefulSet];

function scaled(kind: Kind, { name, uid }: Owner, namespace: string, view: View): Scaled | undefined {
  const found = view.get(kind, namespace, name);
  return found?.metadata.uid === uid ? { uid, replicas: scaleOf(kind, found).spec.replicas ?? 0 } : undefined;
}

/** The Deployment of a ReplicaSet, which decides for it. */
function deploymentAbove(owner: Owner, namespace: string, view: View): Scaled | undefined {
  const set = isA(replicaSet, owner) ? view.get(replicaSet, namespace, owner.name) : undefined;
  const above = set?.metadata.uid === owner.uid ? controllerOf(set) : undefined;
  return above && isA(deployment, above) ? scaled(deployment, above, namespace, view) : undefined;
}

/** The object that decides on the number of pods of a controller; undefined when it is not there. */
function scaleFor(owner: Owner, namespace: string, view: View, kinds: KindRegistry): Scaled | Problem | undefined {
  const above = deploymentAbove(owner, namespace, view);
  if (above) return above;
  const { group = '', version = '' } = parseApiVersion(owner.apiVersion) ?? {};
  const kind = WORKLOADS.find((one) => isA(one, owner)) ?? kinds.byKind(group, version, owner.kind);
  if (!kind) return { problem: `no matches for kind "${owner.kind}" in version "${owner.apiVersion}"` };
  if (!kind.scale) {
    const resource = group ? `${kind.plural}.${group}` : kind.plural;
    return { problem: `${resource} does not implement the scale subresource` };
  }
  return scaled(kind, owner, namespace, view);
}

/** `hasUnmanaged`: some pods have no controller, and do not count. */
export type ExpectedScale = { replicas: number; hasUnmanaged: boolean } | Problem;

/**
 * How many pods there should be in all, by the scales of those who control `pods`; each counts once. A controller
 * without a scale leaves that open.
 */
export function expectedScale(pods: readonly PodView[], view: View, kinds: KindRegistry): ExpectedScale {
  const scales = new Map<string, number>();
  const asked = new Set<string>();
  let hasUnmanaged = false;
  for (const { metadata } of pods) {
    const [namespace, name] = [metadata.namespace ?? '', metadata.name ?? ''];
    const owner = controllerOf({ metadata });
    if (!owner) hasUnmanaged = true;
    if (!owner || asked.has(owner.uid)) continue;
    asked.add(owner.uid);
    const scale = scaleFor(owner, namespace, view, kinds) ?? { problem: `found no controllers for pod "${name}"` };
    if ('problem' in scale) return scale;
    scales.set(scale.uid, scale.replicas);
  }
  let replicas = 0;
  for (const count of scales.values()) replicas += count;
  return { replicas, hasUnmanaged };
}
