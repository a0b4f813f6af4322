import {
  annotationOf,
  NODE_LOCAL_PROVISIONER,
  type PersistentVolumeClaim,
  persistentVolume,
  persistentVolumeClaim,
} from '@periplus/api';
import { parseQuantity } from '@periplus/apimachinery';
import type { Command } from '@periplus/client';
import { type Controller, defineController, idle } from '@periplus/reconcile';
import { setStatus } from '../status-change.ts';

const sizeOf = (quantity: string | number | undefined) => parseQuantity(quantity ?? 0);

/**
 * Makes volumes as large as their claims want. A directory of a node is as large as its disk, so it just takes the new
 * size; other volumes are grown by their own drivers.
 * https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims
 */
export const expansionController: Controller<PersistentVolumeClaim> = defineController<PersistentVolumeClaim>({
  name: 'persistentvolume-expander',
  for: persistentVolumeClaim,
  reportsAs: 'volume_expand',
  reconcile({ namespace, name }, view) {
    const claim = view.get(persistentVolumeClaim, namespace, name);
    if (claim?.status?.phase !== 'Bound') return idle;
    const wanted = claim.spec.resources?.requests?.storage;
    if (wanted === undefined || sizeOf(wanted).compare(sizeOf(claim.status.capacity?.storage)) <= 0) return idle;
    const volume = view.get(persistentVolume, '', claim.spec.volumeName ?? '');
    if (!volume || volume.spec.claimRef?.uid !== claim.metadata.uid) return idle;
    if (annotationOf(volume, 'provisionedBy') !== NODE_LOCAL_PROVISIONER) {
      const message = 'waiting for an external controller to expand this PVC';
      return { steps: [], events: [{ about: claim, type: 'Normal', reason: 'ExternalExpanding', message }] };
    }
    const grow: Command = {
      ...{ verb: 'patch', kind: persistentVolume, namespace: '', name: volume.metadata.name ?? '', type: 'merge' },
      ifUid: volume.metadata.uid,
      patch: { spec: { capacity: { storage: wanted } } },
    };
    const isLarger = sizeOf(wanted).compare(sizeOf(volume.spec.capacity?.storage)) > 0;
    const capacity = { ...claim.status.capacity, storage: wanted };
    const message = `ExpandVolume succeeded for volume ${namespace}/${name}`;
    return {
      steps: [
        ...(isLarger ? [[grow]] : []),
        setStatus(persistentVolumeClaim as never, claim, { ...claim.status, capacity }),
      ],
      events: [{ about: claim, type: 'Normal', reason: 'VolumeResizeSuccessful', message }],
    };
  },
});
