import { readFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { removeControlGroups } from '@periplus/containerd';
import type { Pod } from '../pod/pod-types.ts';
import { podCgroup, podLogDirectory } from '../pod/sandbox-config.ts';

/** The node's own /etc/hosts, which pods on its network see. */
export const readHostsFile = ({ spec }: Pod): Promise<string> =>
  spec.hostNetwork ? readFile('/etc/hosts', 'utf8').catch(() => '') : Promise.resolve('');

/** Processes that were killed leave their group some milliseconds later. */
const REMOVE_TRIES_MAX = 20;
const REMOVE_PAUSE_MS = 25;

/** The runtime removes the control groups of containers, and leaves the pod's. Resolves with whether it is gone. */
export async function removePodCgroup(cgroupRoot: string, pod: Pod): Promise<boolean> {
  for (let tries = 1; !removeControlGroups(podCgroup(cgroupRoot, pod)); tries += 1) {
    if (tries === REMOVE_TRIES_MAX) return false;
    await sleep(REMOVE_PAUSE_MS);
  }
  return true;
}

export async function removePodLogs(logs: string, pod: Pod): Promise<void> {
  await rm(podLogDirectory(logs, pod), { recursive: true, force: true });
}
