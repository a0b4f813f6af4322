import { chmod, chown, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PersistentVolume } from '@periplus/api';
import type { Pod, Volume } from '../pod/pod-types.ts';
import { sizeLimitBytes } from '../pod/resources.ts';
import { showFiles } from './atomic-directory.ts';
import { checkHostPath } from './host-path.ts';
import { checkPlugin, MountError, notSetUp } from './mount-error.ts';
import { isMounted, mountMemory, unmountBelow } from './mounts.ts';
import { linkTo, locate } from './persistent-volumes.ts';
import type { PodDirectories } from './pod-directories.ts';
import { hasFiles, type VolumeSources, volumeFiles } from './volume-files.ts';
import { giveToGroup } from './volume-ownership.ts';

const setUpError = (volume: string, error: unknown): MountError =>
  error instanceof MountError ? error : notSetUp(volume, error instanceof Error ? error.message : String(error));

/** Makes the volumes of pods, keeps their content up to date, and takes them away. */
export class PodVolumes {
  private readonly directories: PodDirectories;
  private readonly node: string;
  private readonly now: () => number;

  constructor(directories: PodDirectories, node: string, now: () => number) {
    this.directories = directories;
    this.node = node;
    this.now = now;
  }

  /** Once, before the first pod. */
  async start(): Promise<void> {
    await mkdir(this.directories.pods, { recursive: true, mode: 0o750 });
    if (!(await isMounted(this.directories.memory))) await mountMemory(this.directories.memory);
    await chmod(this.directories.memory, 0o711);
  }

  /**
   * Idempotent: volumes that are there stay, content that changed is replaced. `claimed`: what is behind the pod's
   * claims, by the name of the pod's volume. Rejects with MountError.
   */
  async prepare(pod: Pod, sources: VolumeSources, claimed: ReadonlyMap<string, PersistentVolume>): Promise<void> {
    await mkdir(this.directories.pod(pod.metadata.uid), { recursive: true, mode: 0o750 });
    for (const volume of pod.spec.volumes ?? []) {
      const behind = claimed.get(volume.name);
      try {
        checkPlugin(volume, behind);
        if (behind) await this.showPersistent(pod, volume, behind);
        else await this.prepareOne(pod, volume, sources);
      } catch (error) {
        throw setUpError(behind?.metadata.name ?? volume.name, error);
      }
    }
  }

  /** Brings the files of the pod up to date. Resolves with whether anything changed. */
  async refresh(pod: Pod, sources: VolumeSources): Promise<boolean> {
    let changed = false;
    for (const volume of (pod.spec.volumes ?? []).filter(hasFiles)) {
      try {
        if (await this.show(pod, volume, sources)) changed = true;
      } catch (error) {
        throw setUpError(volume.name, error);
      }
    }
    return changed;
  }

  /**
   * Takes away the volumes of a pod in which nothing runs any more, or all that it has on disk. Rejects, having
   * removed nothing, while something is mounted: what is removed must not be somebody else's.
   */
  async remove(uid: string, what: 'volumes' | 'all'): Promise<void> {
    const directory = this.directories.pod(uid);
    await unmountBelow(directory);
    const targets = what === 'all' ? [directory] : ['volumes', 'volume-subpaths'].map((name) => join(directory, name));
    for (const target of [...targets, this.directories.podMemory(uid)]) {
      await rm(target, { recursive: true, force: true });
    }
  }

  private async prepareOne(pod: Pod, volume: Volume, sources: VolumeSources): Promise<void> {
    if (volume.emptyDir) return this.makeEmpty(pod, volume);
    if (volume.hostPath) return checkHostPath(volume.hostPath.path, volume.hostPath.type);
    await this.show(pod, volume, sources);
  }

  private async showPersistent(pod: Pod, volume: Volume, behind: PersistentVolume): Promise<void> {
    const path = await locate(behind, this.node, this.directories.persistentVolumes);
    const isWritable = !volume.persistentVolumeClaim?.readOnly;
    if (behind.spec.local && isWritable) await giveToGroup(path, pod.spec.securityContext ?? {});
    await linkTo(path, this.directories.volume(pod, volume));
  }

  private show(pod: Pod, volume: Volume, sources: VolumeSources): Promise<boolean> {
    const group = pod.spec.securityContext?.fsGroup;
    return showFiles(this.directories.volume(pod, volume), volumeFiles(volume, sources), group, this.now());
  }

  private async makeEmpty(pod: Pod, volume: Volume): Promise<void> {
    const path = this.directories.volume(pod, volume);
    if ((await mkdir(path, { recursive: true })) === undefined) return;
    if (volume.emptyDir?.medium === 'Memory') await mountMemory(path, sizeLimitBytes(volume.emptyDir.sizeLimit));
    const group = pod.spec.securityContext?.fsGroup;
    if (group !== undefined) await chown(path, 0, group);
    // The set-group-id bit hands the group on to what is made in it.
    await chmod(path, group === undefined ? 0o777 : 0o2777);
  }
}
