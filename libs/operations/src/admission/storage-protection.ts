import {
  PV_PROTECTION,
  PVC_PROTECTION,
  persistentVolume,
  persistentVolumeClaim,
  VAC_PROTECTION,
  volumeAttributesClass,
} from '@periplus/api';
import type { Admission } from './admission.ts';

const FINALIZERS = new Map<unknown, string>([
  [persistentVolume, PV_PROTECTION],
  [persistentVolumeClaim, PVC_PROTECTION],
  [volumeAttributesClass, VAC_PROTECTION],
]);

/**
 * Volumes, claims and classes of volumes' attributes stay while they are in use; controllers let them go after that.
 * https://kubernetes.io/docs/concepts/storage/persistent-volumes/#storage-object-in-use-protection
 */
export const storageProtection: Admission = {
  name: 'StorageObjectInUseProtection',
  handles: ({ kind, subresource }, operation) => FINALIZERS.has(kind) && subresource === '' && operation === 'create',
  admit({ target, object }) {
    const { metadata } = object!;
    const finalizer = FINALIZERS.get(target.kind)!;
    metadata.finalizers ??= [];
    if (!metadata.finalizers.includes(finalizer)) metadata.finalizers.push(finalizer);
  },
};
