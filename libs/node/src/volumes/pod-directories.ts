import { join } from 'node:path';
import type { Pod, Volume } from '../pod/pod-types.ts';

/** Where the agent keeps what belongs to pods. Follows the kubelet's layout below its root directory. */
export class PodDirectories {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  get pods(): string {
    return join(this.root, 'pods');
  }

  /** A file system in memory: Secrets and tokens never reach a disk. */
  get memory(): string {
    return join(this.root, 'memory');
  }

  /** The volumes that this node keeps, which outlive pods. */
  get persistentVolumes(): string {
    return join(this.root, 'persistent-volumes');
  }

  pod(uid: string): string {
    return join(this.pods, uid);
  }

  podMemory(uid: string): string {
    return join(this.memory, uid);
  }

  hostsFile(uid: string): string {
    return join(this.pod(uid), 'etc-hosts');
  }

  terminationLog(uid: string, container: string, attempt: number): string {
    return join(this.pod(uid), 'containers', container, `${attempt}.termination-log`);
  }

  subPath(uid: string, volume: string, container: string, position: number): string {
    return join(this.pod(uid), 'volume-subpaths', volume, container, String(position));
  }

  volume({ metadata }: Pod, volume: Volume): string {
    if (volume.hostPath) return volume.hostPath.path;
    if (volume.secret || volume.projected) return join(this.podMemory(metadata.uid), volume.name);
    return join(this.pod(metadata.uid), 'volumes', `kubernetes.io~${pluginOf(volume)}`, volume.name);
  }
}

function pluginOf({ emptyDir, configMap, persistentVolumeClaim, ephemeral }: Volume): string {
  if (emptyDir) return 'empty-dir';
  if (persistentVolumeClaim || ephemeral) return 'persistent-volume';
  return configMap ? 'configmap' : 'downward-api';
}
