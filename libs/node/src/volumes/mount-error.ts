import type { PersistentVolume } from '@periplus/api';
import { ConfigError } from '../pod/config-error.ts';
import type { Volume } from '../pod/pod-types.ts';
import { hasFiles } from './volume-files.ts';

/** A volume can't be had here. The message is that of the FailedMount event, in the kubelet's words. */
export class MountError extends ConfigError {
  constructor(message: string) {
    super(message);
    this.name = 'MountError';
  }
}

/** `volume` as the pod names it. What is behind it can't be told, or there is nothing to mount it with. */
export const notProcessed = (volume: string, why: string): MountError =>
  new MountError(
    `Unable to attach or mount volumes: unmounted volumes=[${volume}], unattached volumes=[], failed to process volumes=[${volume}]: ${why}`,
  );

export const notInitialized = (volume: string, why: string): MountError =>
  new MountError(`MountVolume.NewMounter initialization failed for volume "${volume}" : ${why}`);

export const notSetUp = (volume: string, why: string): MountError =>
  new MountError(`MountVolume.SetUp failed for volume "${volume}" : ${why}`);

const unregistered = (driver: string): string =>
  `driver name ${driver} not found in the list of registered CSI drivers`;

/**
 * Throws MountError for a volume of a type that nodes don't mount; `behind` is the one behind its claim. Types other
 * than those of the node itself need drivers, and none can register here.
 */
export function checkPlugin(volume: Volume, behind: PersistentVolume | undefined): void {
  const name = behind?.metadata.name ?? volume.name;
  if (behind?.spec.csi) {
    const why = `attacher.MountDevice failed to create newCsiDriverClient: ${unregistered(behind.spec.csi.driver)}`;
    throw new MountError(`MountVolume.MountDevice failed for volume "${name}" : kubernetes.io/csi: ${why}`);
  }
  if (volume.csi) {
    const why = `mounter.SetUpAt failed to get CSI client: ${unregistered(volume.csi.driver)}`;
    throw notSetUp(name, `kubernetes.io/csi: ${why}`);
  }
  const hasPlugin = behind
    ? behind.spec.hostPath || behind.spec.local
    : volume.emptyDir || volume.hostPath || hasFiles(volume);
  if (!hasPlugin) {
    const why = `failed to get Plugin from volumeSpec for volume "${name}" err=no volume plugin matched`;
    throw notProcessed(volume.name, why);
  }
}
