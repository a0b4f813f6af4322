import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import {
  applyNetworkRules,
  type ContainerdPaths,
  cleanUpContainers,
  containerdPaths,
  importImage,
  writeContainerdFiles,
} from '@periplus/containerd';
import type { ClusterFolder } from './cluster-folder.ts';
import type { ClusterSettings } from './settings.ts';
import type { ProcessSpec } from './supervised-process.ts';

const STOP_MS_MAX = 10_000;

const optionsOf = (folder: ClusterFolder, settings: ClusterSettings) => ({
  directory: join(folder.node, 'containerd'),
  // The path of a unix socket is short, that of a home folder may not be.
  stateDirectory: `/run/periplus/${folder.id}`,
  name: folder.name,
  podCidr: settings.podCidr,
});

export const containerPaths = (folder: ClusterFolder, settings: ClusterSettings): ContainerdPaths =>
  containerdPaths(optionsOf(folder, settings));

/** The cluster's own containerd: its images, containers and network are nobody else's. */
export function containerdServer(folder: ClusterFolder, settings: ClusterSettings): ProcessSpec {
  const paths = writeContainerdFiles(optionsOf(folder, settings));
  return {
    name: 'containerd',
    command: 'containerd',
    args: ['--config', paths.config],
    logFile: join(folder.logs, 'containerd.log'),
    stopMsMax: STOP_MS_MAX,
  };
}

/** Whether containerd listens. */
export function containerdAnswers(paths: ContainerdPaths): Promise<boolean> {
  if (!existsSync(paths.socket)) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = connect(paths.socket);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** What a running containerd needs before its first pod. */
export async function prepareContainers(paths: ContainerdPaths): Promise<void> {
  await Promise.all([importImage(paths.socket, paths.pauseArchive), applyNetworkRules(paths)]);
}

/** The control group that every pod of the cluster is below. */
export const podControlGroup = (folder: ClusterFolder): string => `/periplus-${folder.id}`;

/** Ends every container of the cluster, once its containerd has ended. Volumes and images stay. */
export const endContainers = (folder: ClusterFolder, settings: ClusterSettings): Promise<void> =>
  cleanUpContainers({
    paths: containerPaths(folder, settings),
    cgroupRoot: podControlGroup(folder),
    directories: [folder.node],
  });
