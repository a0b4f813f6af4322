import { deployment, replicaSet, replicationController, statefulSet } from '@periplus/api';
import { controllerOf, type DeepReadonly, type KubeObject, type OwnerReference } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import type { PodView } from '../pod-state.ts';

/** What says how many pods there should be. */
interface Scaled {
  uid: string;
  replicas: number;
}

type Owner = DeepReadonly<OwnerReference>;
type WithReplicas = DeepReadonly<KubeObject & { spec: { replicas?: number } }>;

const scaled = (found: WithReplicas | undefined, { uid }: Owner): Scaled | undefined =>
  found?.metadata.uid === uid ? { uid, replicas: found.spec.replicas ?? 1 } : undefined;

/** The object that decides on the number of pods of a controller: a ReplicaSet's Deployment, if it has one. */
function scaleOf(owner: Owner, namespace: string, view: View): Scaled | undefined {
  switch (`${owner.apiVersion.split('/')[0]}/${owner.kind}`) {
    case 'apps/ReplicaSet': {
      const set = view.get(replicaSet, namespace, owner.name);
      const above = set?.metadata.uid === owner.uid ? controllerOf(set) : undefined;
      if (above?.kind !== 'Deployment') return scaled(set, owner);
      return scaled(view.get(deployment, namespace, above.name), above);
    }
    case 'apps/StatefulSet':
      return scaled(view.get(statefulSet, namespace, owner.name), owner);
    case 'v1/ReplicationController':
      return scaled(view.get(replicationController, namespace, owner.name), owner);
    default:
      return undefined;
  }
}

/** `hasUnmanaged`: some pods have no controller, and do not count. */
export type ExpectedScale = { replicas: number; hasUnmanaged: boolean } | { problem: string };

/**
 * How many pods there should be in all, by the scales of those who control `pods`; each counts once. A controller
 * without a scale leaves that open.
 */
export function expectedScale(pods: readonly PodView[], view: View): ExpectedScale {
  const scales = new Map<string, number>();
  const asked = new Set<string>();
  let hasUnmanaged = false;
  for (const { metadata } of pods) {
    const [namespace, name] = [metadata.namespace ?? '', metadata.name ?? ''];
    const owner = controllerOf({ metadata });
    if (!owner) hasUnmanaged = true;
    if (!owner || asked.has(owner.uid)) continue;
    asked.add(owner.uid);
    const scale = scaleOf(owner, namespace, view);
    if (!scale) return { problem: `found no controllers for pod "${name}"` };
    scales.set(scale.uid, scale.replicas);
  }
  let replicas = 0;
  for (const count of scales.values()) replicas += count;
  return { replicas, hasUnmanaged };
}
