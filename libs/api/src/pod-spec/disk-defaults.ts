/** Defaults that a disk has in a pod and behind a PersistentVolume alike. */
import type { IVolume } from 'kubernetes-models/v1/Volume';

/** Empty texts count as unsaid. https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/volume/ */
const DEFAULTS = {
  azureDisk: { cachingMode: 'ReadWrite', fsType: 'ext4', kind: 'Shared', readOnly: false },
  iscsi: { iscsiInterface: 'default' },
  rbd: { keyring: '/etc/ceph/keyring', pool: 'rbd', user: 'admin' },
  scaleIO: { fsType: 'xfs', storageMode: 'ThinProvisioned' },
} as const satisfies { [S in keyof IVolume]?: IVolume[S] extends infer T ? Partial<T> : never };

type Disks = { [S in keyof typeof DEFAULTS]?: object | undefined };

export function setDiskDefaults(sources: Disks): void {
  for (const kind of Object.keys(DEFAULTS) as (keyof Disks)[]) {
    const disk = sources[kind] as Record<string, unknown> | undefined;
    if (!disk) continue;
    for (const [field, value] of Object.entries(DEFAULTS[kind])) {
      if (disk[field] === undefined || disk[field] === '') disk[field] = value;
    }
  }
}
