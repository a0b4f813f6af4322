import { disksCollide } from '../disks.ts';
import type { NodeTable } from '../node-table.ts';
import type { DynamicFilter } from '../plugin.ts';
import type { PodShape } from '../pod-shape.ts';

const IN_USE = ['node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode'];
const NO_DISK = ['node(s) had no available disk'];

/** Whether a claim that is for one pod only has that already, on whichever node. */
function isClaimTaken({ claims }: PodShape, { volumes }: NodeTable): boolean {
  const isOnePods = (key: string) => volumes.claim(key)?.spec.accessModes?.includes('ReadWriteOncePod') === true;
  return claims?.some((key) => volumes.isUsed(key) && isOnePods(key)) ?? false;
}

function isDiskTaken({ disks }: PodShape, table: NodeTable, slot: number): boolean {
  if (disks === null) return false;
  for (const { disks: taken } of table.podsOn(table.nodes[slot]!.metadata.name!).values()) {
    if (taken && disksCollide(disks, taken)) return true;
  }
  return false;
}

/**
 * A claim for one pod only is not used by two, nor a disk that is written by two on one node.
 * https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes
 */
export const volumeRestrictions: DynamicFilter = {
  name: 'VolumeRestrictions',
  wakesOn: ['PodGone', 'VolumeChanged'],
  prepare(shape, table) {
    const isTaken = isClaimTaken(shape, table);
    if (!isTaken && shape.disks === null) return null;
    return (slot) => {
      if (isDiskTaken(shape, table, slot)) return NO_DISK;
      return isTaken ? IN_USE : null;
    };
  },
  /** Whoever it was that has gone: it may have been the user. */
  reaches: ({ claims }) => claims !== null,
};
