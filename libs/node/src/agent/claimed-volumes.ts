import {
  claimConflict,
  claimNameOf,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolume,
  persistentVolumeClaim,
} from '@periplus/api';
import type { ResourceClient } from '@periplus/client';
import { ConfigError } from '../pod/config-error.ts';
import type { Pod } from '../pod/pod-types.ts';
import { notProcessed } from '../volumes/mount-error.ts';

/**
 * Reads the volumes behind the claims of a pod, by the name of the pod's volume. The api-server lets a node read only
 * those. Rejects with what the FailedMount event says while one of them can't be used.
 */
export async function claimedVolumes(client: ResourceClient, pod: Pod): Promise<Map<string, PersistentVolume>> {
  const found = new Map<string, PersistentVolume>();
  for (const volume of pod.spec.volumes ?? []) {
    const claimName = claimNameOf(pod, volume);
    if (claimName === undefined) continue;
    try {
      found.set(volume.name, await volumeOf(client, pod, claimName, volume.ephemeral !== undefined));
    } catch (error) {
      const why = `error processing PVC ${pod.metadata.namespace}/${claimName}: ${(error as Error).message}`;
      throw notProcessed(volume.name, why);
    }
  }
  return found;
}

const reading = async <T>(what: string, read: Promise<T>): Promise<T> => {
  try {
    return await read;
  } catch (error) {
    throw new ConfigError(`failed to fetch ${what} from API server: ${(error as Error).message}`);
  }
};

async function volumeOf(client: ResourceClient, pod: Pod, name: string, isMade: boolean): Promise<PersistentVolume> {
  const { namespace } = pod.metadata;
  const claim = await reading('PVC', client.get<PersistentVolumeClaim>(persistentVolumeClaim, namespace, name));
  const conflict = isMade ? claimConflict(pod.metadata, claim) : undefined;
  if (conflict !== undefined) throw new ConfigError(conflict);
  if (claim.metadata.deletionTimestamp) throw new ConfigError('PVC is being deleted');
  if (claim.status?.phase !== 'Bound') throw new ConfigError('PVC is not bound');
  const { volumeName } = claim.spec;
  if (!volumeName) throw new ConfigError('PVC has empty pvc.Spec.VolumeName');
  const volume = await reading(`PV ${volumeName}`, client.get<PersistentVolume>(persistentVolume, '', volumeName));
  const { claimRef } = volume.spec;
  if (claimRef?.uid === claim.metadata.uid) return volume;
  throw new ConfigError(
    claimRef
      ? `found PV object ${volumeName} but its pv.Spec.ClaimRef.UID ${claimRef.uid} does not point to claim.UID ${claim.metadata.uid}`
      : `found PV object ${volumeName} but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim`,
  );
}
