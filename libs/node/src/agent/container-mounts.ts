import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Mount } from '@periplus/cri';
import { ConfigError } from '../pod/config-error.ts';
import { terminationMessagePathOf } from '../pod/container-config.ts';
import { expand } from '../pod/expansion.ts';
import type { Container, Pod, VolumeMount } from '../pod/pod-types.ts';
import { mountSubPath } from '../volumes/mounts.ts';
import type { PodDirectories } from '../volumes/pod-directories.ts';
import { hasFiles } from '../volumes/volume-files.ts';

/** Numbers of CRI's MountPropagation. */
const PROPAGATION: Record<string, number> = { None: 0, HostToContainer: 1, Bidirectional: 2 };
const HOSTS_PATH = '/etc/hosts';

/** The volumes of a container as mounts, with the files that every container gets. Makes what is missing. */
export async function containerMounts(
  pod: Pod,
  container: Container,
  attempt: number,
  environment: ReadonlyMap<string, string>,
  directories: PodDirectories,
): Promise<Mount[]> {
  const mounts: Mount[] = [];
  const { uid } = pod.metadata;
  for (const [i, mount] of (container.volumeMounts ?? []).entries()) {
    mounts.push(await volumeMount(pod, container, mount, i, environment, directories));
  }
  if (!mounts.some(({ containerPath }) => containerPath === HOSTS_PATH)) {
    mounts.push({ containerPath: HOSTS_PATH, hostPath: directories.hostsFile(uid), readonly: false });
  }
  const log = directories.terminationLog(uid, container.name, attempt);
  await mkdir(dirname(log), { recursive: true });
  await writeFile(log, '');
  // Whoever the container runs as may write to it; the umask would forbid that.
  await chmod(log, 0o666);
  mounts.push({ containerPath: terminationMessagePathOf(container), hostPath: log, readonly: false });
  return mounts;
}

async function volumeMount(
  pod: Pod,
  container: Container,
  mount: VolumeMount,
  position: number,
  environment: ReadonlyMap<string, string>,
  directories: PodDirectories,
): Promise<Mount> {
  const volume = pod.spec.volumes?.find(({ name }) => name === mount.name);
  if (!volume) {
    throw new ConfigError(`cannot find volume "${mount.name}" to mount into container "${container.name}"`);
  }
  let hostPath = directories.volume(pod, volume);
  const subPath = mount.subPathExpr ? expand(mount.subPathExpr, environment) : mount.subPath;
  if (subPath) {
    const target = directories.subPath(pod.metadata.uid, volume.name, container.name, position);
    await mountSubPath(hostPath, subPath, target);
    hostPath = target;
  }
  return {
    containerPath: mount.mountPath,
    hostPath,
    // What comes from the API is replaced behind the container's back; writes to it would be lost.
    readonly: mount.readOnly || hasFiles(volume) || volume.persistentVolumeClaim?.readOnly,
    propagation: PROPAGATION[mount.mountPropagation ?? 'None'] ?? 0,
  };
}
