import { resolve } from 'node:path';
import { importImage } from '@periplus/containerd';
import { clusterFolder, containerPaths, loadSettings, readStatus } from '@periplus/supervisor';

/** Loads archives into the node's containerd, so that pods find them without a registry. */
export async function importImages(archives: string[], options: { name: string }): Promise<void> {
  const folder = clusterFolder(options.name);
  const settings = loadSettings(folder);
  if (!settings || !readStatus(folder))
    throw new Error(`cluster ${options.name} is not up; start it with: periplus up`);
  if (settings.node.type !== 'containers')
    throw new Error(`the nodes of cluster ${options.name} are simulated: they run no images`);
  const { socket } = containerPaths(folder, settings);
  for (const archive of archives) {
    for (const image of await importImage(socket, resolve(archive))) process.stdout.write(`imported ${image}\n`);
  }
}
