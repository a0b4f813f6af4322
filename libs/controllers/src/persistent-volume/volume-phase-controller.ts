import { annotationOf, type PersistentVolume, persistentVolume, persistentVolumeClaim, pod } from '@periplus/api';
import type { View } from '@periplus/cache';
import { type Controller, defineController, idle, type ObjectRef, type Plan, watchRule } from '@periplus/reconcile';
import type { PodView } from '../pod-state.ts';
import { unbind } from './bind.ts';
import type { Claim, Volume } from './claim-index.ts';
import { recycle } from './recycle.ts';
import { RECYCLER_NAMESPACE, type RecyclerSettings, recycledBy } from './recycler-pod.ts';
import { enter } from './volume-phase.ts';

const volumesNamedBy = (now: Claim | null, old: Claim | null): ObjectRef[] =>
  [...new Set([now?.spec.volumeName, old?.spec.volumeName])]
    .filter((name) => name)
    .map((name) => ({ namespace: '', name: name! }));

const volumesRecycledBy = (now: PodView | null, old: PodView | null): ObjectRef[] => {
  const name = recycledBy((now ?? old)?.metadata.name ?? '');
  return name ? [{ namespace: '', name }] : [];
};

/**
 * Says in what phase each volume is, and lets volumes go whose claim has gone. A volume with a claim is Bound once the
 * claim names it too. https://kubernetes.io/docs/concepts/storage/persistent-volumes/#phase
 */
export const volumePhaseController = (recycler: RecyclerSettings): Controller<PersistentVolume> =>
  defineController<PersistentVolume>({
    name: 'persistentvolume-phase',
    for: persistentVolume,
    watches: [
      watchRule(persistentVolumeClaim, volumesNamedBy),
      watchRule(
        pod,
        volumesRecycledBy,
        ({ entry: { key } }) => key.namespace === RECYCLER_NAMESPACE && recycledBy(key.name) !== undefined,
      ),
    ],
    reportsAs: 'persistentvolume-controller',
    reconcile({ name }, view) {
      const volume = view.get(persistentVolume, '', name);
      if (!volume) return idle;
      const { claimRef } = volume.spec;
      // Without a uid it is kept free for a claim that may come.
      if (!claimRef?.uid) return enter('Available', volume, view);
      const claim = view.get(persistentVolumeClaim, claimRef.namespace ?? '', claimRef.name ?? '');
      // A namesake is another claim. Since the view is of one moment, one that is not in it has gone.
      if (claim?.metadata.uid !== claimRef.uid) return release(volume, recycler, view);
      // The claim's turn.
      if (!claim.spec.volumeName) return idle;
      if (claim.spec.volumeName === name) return enter('Bound', volume, view);
      const isSpare = annotationOf(volume, 'provisionedBy') !== undefined && deletes(volume);
      return isSpare ? release(volume, recycler, view) : { steps: [[unbind(volume)]] };
    },
  });

const deletes = ({ spec }: Volume): boolean => spec.persistentVolumeReclaimPolicy === 'Delete';

/**
 * The claim has gone. Who made the volume removes it when the policy says so; nobody can remove what nobody has made.
 * A volume that is to be recycled is emptied for the next claim.
 * https://kubernetes.io/docs/concepts/storage/persistent-volumes/#reclaiming
 */
function release(volume: Volume, recycler: RecyclerSettings, view: View): Plan {
  const policy = volume.spec.persistentVolumeReclaimPolicy;
  if (policy === 'Recycle') return recycle(volume, recycler, view);
  if (policy === 'Delete' && annotationOf(volume, 'provisionedBy') === undefined) {
    const name = JSON.stringify(volume.metadata.name);
    const message = `error getting deleter volume plugin for volume ${name}: no deletable volume plugin matched`;
    return enter('Failed', volume, view, { reason: 'VolumeFailedDelete', message });
  }
  // A provisioner that failed to remove it has said why.
  return volume.status?.phase === 'Failed' ? idle : enter('Released', volume, view);
}
