import { type PersistentVolume, PV_PROTECTION, persistentVolume } from '@periplus/api';
import { type Controller, defineController } from '@periplus/reconcile';
import { release } from './release.ts';

/** Lets volumes go that no claim holds. https://kubernetes.io/docs/concepts/storage/persistent-volumes/#storage-object-in-use-protection */
export const volumeProtectionController: Controller<PersistentVolume> = defineController<PersistentVolume>({
  name: 'persistentvolume-protection',
  for: persistentVolume,
  reconcile({ name }, view) {
    const volume = view.get(persistentVolume, '', name);
    return release(persistentVolume as never, volume, PV_PROTECTION, () => volume?.status?.phase === 'Bound');
  },
});
