/**
 * A containerd of one's own: `writeContainerdFiles` configures it, `importImage` and the image makers fill it
 * without a registry, `cleanUpContainers` takes everything away that outlives it, and `whyNoContainers` says
 * whether a machine can run containers at all.
 */
export { cleanUpContainers, type Leftovers, removeControlGroups } from './clean-up.ts';
export { whyNoContainers } from './container-support.ts';
export {
  applyNetworkRules,
  type ContainerdOptions,
  type ContainerdPaths,
  containerdPaths,
  writeContainerdFiles,
} from './containerd-config.ts';
export { findStaticBusybox, HELLO_IMAGE, helloImage, importImage, PAUSE_IMAGE, pauseImage } from './images.ts';
export { type ImageSettings, type OciImage, writeOciArchive } from './oci-archive.ts';
export { type TarEntry, writeTar } from './tar.ts';
