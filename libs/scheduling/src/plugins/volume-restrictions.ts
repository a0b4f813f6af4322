import type { DynamicFilter } from '../plugin.ts';

const IN_USE = ['node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode'];

/** A claim for one pod only is not used by two. https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes */
export const volumeRestrictions: DynamicFilter = {
  name: 'VolumeRestrictions',
  wakesOn: ['PodGone', 'VolumeChanged'],
  prepare({ claims }, { volumes }) {
    const isTaken = (key: string): boolean =>
      volumes.isUsed(key) && volumes.claim(key)?.spec.accessModes?.includes('ReadWriteOncePod') === true;
    return claims?.some(isTaken) ? () => IN_USE : null;
  },
  /** Whoever it was that has gone: it may have been the user. */
  reaches: ({ claims }) => claims !== null,
};
