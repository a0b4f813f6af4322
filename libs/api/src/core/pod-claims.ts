import { controllerOf, type DeepReadonly, type KubeObject } from '@periplus/apimachinery';
import type { Pod } from './pod-type.ts';

type Volume = NonNullable<DeepReadonly<Pod>['spec']['volumes']>[number];

/** The claim behind a volume of a pod: the one that it names, or the one that is made for it; undefined for others. */
export function claimNameOf(pod: Pick<DeepReadonly<Pod>, 'metadata'>, volume: Volume): string | undefined {
  if (volume.persistentVolumeClaim) return volume.persistentVolumeClaim.claimName;
  return volume.ephemeral ? `${pod.metadata.name}-${volume.name}` : undefined;
}

/** The claims of a pod: their names within its namespace. */
export const claimNamesOf = (pod: DeepReadonly<Pod>): string[] =>
  (pod.spec.volumes ?? []).flatMap((volume) => claimNameOf(pod, volume) ?? []);

/**
 * Why the claim behind an ephemeral volume of the pod is none of the pod's: somebody else had made one of that name.
 * Undefined when it was made for the pod. https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/#persistentvolumeclaim-naming
 */
export function claimConflict(
  pod: Pick<DeepReadonly<KubeObject>['metadata'], 'namespace' | 'name' | 'uid'>,
  claim: DeepReadonly<KubeObject>,
): string | undefined {
  if (controllerOf(claim)?.uid === pod.uid) return undefined;
  const { namespace, name } = claim.metadata;
  return `PVC ${namespace}/${name} was not created for pod ${pod.namespace}/${pod.name} (pod is not owner)`;
}
