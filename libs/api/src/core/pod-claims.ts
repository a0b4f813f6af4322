import type { DeepReadonly } from '@periplus/apimachinery';
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
