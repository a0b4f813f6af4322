import { annotationOf, type PersistentVolume, persistentVolume, persistentVolumeClaim } from '@periplus/api';
import { formatTime } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import {
  type Controller,
  defineController,
  idle,
  type ObjectRef,
  type Plan,
  type PlannedEvent,
  watchRule,
} from '@periplus/reconcile';
import { setStatus } from '../status-change.ts';
import { unbind } from './bind.ts';
import type { Claim, Volume } from './claim-index.ts';

type Phase = 'Available' | 'Bound' | 'Released' | 'Failed';

const volumesNamedBy = (now: Claim | null, old: Claim | null): ObjectRef[] =>
  [...new Set([now?.spec.volumeName, old?.spec.volumeName])]
    .filter((name) => name)
    .map((name) => ({ namespace: '', name: name! }));

/**
 * Says in what phase each volume is, and lets volumes go whose claim has gone. A volume with a claim is Bound once the
 * claim names it too. https://kubernetes.io/docs/concepts/storage/persistent-volumes/#phase
 */
export const volumePhaseController: Controller<PersistentVolume> = defineController<PersistentVolume>({
  name: 'persistentvolume-phase',
  for: persistentVolume,
  watches: [watchRule(persistentVolumeClaim, volumesNamedBy)],
  reportsAs: 'persistentvolume-controller',
  reconcile({ name }, view) {
    const volume = view.get(persistentVolume, '', name);
    if (!volume) return idle;
    const { claimRef } = volume.spec;
    // Without a uid it is kept free for a claim that may come.
    if (!claimRef?.uid) return enter('Available', volume, view);
    const claim = view.get(persistentVolumeClaim, claimRef.namespace ?? '', claimRef.name ?? '');
    // A namesake is another claim. Since the view is of one moment, one that is not in it has gone.
    if (claim?.metadata.uid !== claimRef.uid) return release(volume, view);
    // The claim's turn.
    if (!claim.spec.volumeName) return idle;
    if (claim.spec.volumeName === name) return enter('Bound', volume, view);
    const isSpare = annotationOf(volume, 'provisionedBy') !== undefined && deletes(volume);
    return isSpare ? release(volume, view) : { steps: [[unbind(volume)]] };
  },
});

const deletes = ({ spec }: Volume): boolean => spec.persistentVolumeReclaimPolicy === 'Delete';

function enter(phase: Phase, volume: Volume, view: View, problem?: { reason: string; message: string }): Plan {
  if (volume.status?.phase === phase && (volume.status.message ?? '') === (problem?.message ?? '')) return idle;
  const isNew = volume.status?.phase !== phase;
  const wanted = {
    phase,
    message: problem?.message,
    lastPhaseTransitionTime: isNew ? formatTime(view.nowMs) : volume.status?.lastPhaseTransitionTime,
  };
  const events: PlannedEvent[] = problem ? [{ about: volume, type: 'Warning', ...problem }] : [];
  return { steps: [setStatus(persistentVolume as never, volume, wanted)], events };
}

/**
 * The claim has gone. Who made the volume removes it when the policy says so; nobody can remove what nobody has made.
 * https://kubernetes.io/docs/concepts/storage/persistent-volumes/#reclaiming
 */
function release(volume: Volume, view: View): Plan {
  const policy = volume.spec.persistentVolumeReclaimPolicy;
  if (policy === 'Recycle') {
    const message = 'No recycler plugin found for the volume!';
    return enter('Failed', volume, view, { reason: 'VolumeFailedRecycle', message });
  }
  if (policy === 'Delete' && annotationOf(volume, 'provisionedBy') === undefined) {
    const name = JSON.stringify(volume.metadata.name);
    const message = `error getting deleter volume plugin for volume ${name}: no deletable volume plugin matched`;
    return enter('Failed', volume, view, { reason: 'VolumeFailedDelete', message });
  }
  // A provisioner that failed to remove it has said why.
  return volume.status?.phase === 'Failed' ? idle : enter('Released', volume, view);
}
