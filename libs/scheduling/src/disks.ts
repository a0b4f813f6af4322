import type { Pod } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';

/** A disk that a volume of a pod names itself, of a kind that pods of one node may be in each other's way with. */
export interface Disk {
  /** Disks that have any name in common are the same one. */
  readonly names: readonly string[];
  /** Those who only read it may share it. */
  readonly readOnly: boolean;
}

type Volume = NonNullable<DeepReadonly<Pod>['spec']['volumes']>[number];

const isDisk = ({ gcePersistentDisk, awsElasticBlockStore, iscsi, rbd }: Volume): boolean =>
  Boolean(gcePersistentDisk ?? awsElasticBlockStore ?? iscsi ?? rbd);

function diskOf({ gcePersistentDisk, awsElasticBlockStore, iscsi, rbd }: Volume): Disk | null {
  if (gcePersistentDisk) {
    return { names: [`gce ${gcePersistentDisk.pdName}`], readOnly: gcePersistentDisk.readOnly ?? false };
  }
  // Is attached once, whatever is done with it.
  if (awsElasticBlockStore) return { names: [`aws ${awsElasticBlockStore.volumeID}`], readOnly: false };
  if (iscsi) return { names: [`iscsi ${iscsi.iqn}`], readOnly: iscsi.readOnly ?? false };
  if (!rbd) return null;
  const image = JSON.stringify([rbd.pool, rbd.image]);
  return { names: rbd.monitors.map((monitor) => `rbd ${monitor} ${image}`), readOnly: rbd.readOnly ?? false };
}

/** The disks of a pod; null for none, as most have. */
export function disksOf({ spec: { volumes } }: DeepReadonly<Pod>): readonly Disk[] | null {
  if (!volumes?.some(isDisk)) return null;
  return volumes.flatMap((volume) => diskOf(volume) ?? []);
}

/** Whether two pods with these disks can't share a node. */
export const disksCollide = (wanted: readonly Disk[], taken: readonly Disk[]): boolean =>
  wanted.some((a) => taken.some((b) => !(a.readOnly && b.readOnly) && a.names.some((name) => b.names.includes(name))));
