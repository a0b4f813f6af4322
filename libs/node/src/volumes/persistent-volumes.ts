/** PersistentVolumes that lie on this node: where they are, and making them ready. */
import { chmod, mkdir, readlink, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { keeperOf, type PersistentVolume } from '@periplus/api';
import { ConfigError } from '../pod/config-error.ts';
import { checkHostPath } from './host-path.ts';
import { notInitialized } from './mount-error.ts';

/**
 * Resolves with the directory, or file, that the volume is, which has passed `checkPlugin`. One that this node keeps in `kept` is made when it is not
 * there yet; others have to be there. https://kubernetes.io/docs/concepts/storage/volumes/#local
 */
export async function locate({ metadata, spec }: PersistentVolume, node: string, kept: string): Promise<string> {
  const name = metadata.name ?? '';
  if (spec.volumeMode === 'Block') throw new ConfigError('no BlockVolume plugin found for volume');
  if (spec.hostPath) {
    await checkHostPath(spec.hostPath.path, spec.hostPath.type);
    return spec.hostPath.path;
  }
  const { path } = spec.local!;
  const keeper = keeperOf({ apiVersion: 'v1', kind: 'PersistentVolume', metadata, spec });
  if (keeper !== undefined && keeper !== node) throw notInitialized(name, `it is kept by node "${keeper}"`);
  if (keeper === node && path === join(kept, name)) {
    // The umask does not apply to chmod. Whatever user the container runs as may write.
    if ((await mkdir(path, { recursive: true })) !== undefined) await chmod(path, 0o777);
  } else if (!(await stat(path).catch(() => undefined))) throw notInitialized(name, `path "${path}" does not exist`);
  return path;
}

/** Makes `link` lead to `path`. Nothing is ever removed through a link, so the pod's end leaves the volume alone. */
export async function linkTo(path: string, link: string): Promise<void> {
  if ((await readlink(link).catch(() => undefined)) === path) return;
  await mkdir(dirname(link), { recursive: true });
  await rm(link, { force: true });
  await symlink(path, link);
}
