/** Claims, volumes and classes for tests. Not part of a program. */
import {
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolume,
  persistentVolumeClaim,
  type StorageClass,
  storageClass,
} from '@periplus/api';
import type { Simulation } from '../simulation.ts';
import type { RecyclerSettings } from './recycler-pod.ts';

export const NS = 'shop';
export const RECYCLER: RecyclerSettings = { image: 'example.com/shell:1' };

type ClaimSpec = PersistentVolumeClaim['spec'];
type VolumeSpec = PersistentVolume['spec'];

export function putClaim(
  sim: Simulation,
  name: string,
  spec: ClaimSpec = {},
  annotations: Record<string, string> = {},
): PersistentVolumeClaim {
  return sim.cluster.put(persistentVolumeClaim, {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { namespace: NS, name, annotations },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      storageClassName: '',
      ...spec,
    },
    status: { phase: 'Pending' },
  });
}

export function putVolume(
  sim: Simulation,
  name: string,
  spec: VolumeSpec = {},
  annotations: Record<string, string> = {},
  labels: Record<string, string> = {},
): PersistentVolume {
  return sim.cluster.put(persistentVolume, {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, annotations, labels },
    spec: {
      ...{ accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, persistentVolumeReclaimPolicy: 'Retain' },
      ...{ hostPath: { path: `/volumes/${name}` }, ...spec },
    },
    status: { phase: 'Pending' },
  });
}

export const putClass = (sim: Simulation, name: string, more: Partial<StorageClass> = {}): StorageClass =>
  sim.cluster.put(storageClass, {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name, ...more.metadata },
    ...{ provisioner: 'example.com/disks', reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' },
    ...Object.fromEntries(Object.entries(more).filter(([field]) => field !== 'metadata')),
  });

export const claimOf = (sim: Simulation, name: string) => sim.cluster.truth().get(persistentVolumeClaim, NS, name);
export const volumeOf = (sim: Simulation, name: string) => sim.cluster.truth().get(persistentVolume, '', name);
