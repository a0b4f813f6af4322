import { readFile, rm } from 'node:fs/promises';
import { removeControlGroups } from '@periplus/containerd';
import type { Pod } from '../pod/pod-types.ts';
import { podCgroup, podLogDirectory } from '../pod/sandbox-config.ts';

/** The node's own /etc/hosts, which pods on its network see. */
export const readHostsFile = ({ spec }: Pod): Promise<string> =>
  spec.hostNetwork ? readFile('/etc/hosts', 'utf8').catch(() => '') : Promise.resolve('');

/** The runtime removes the control groups of containers, and leaves the pod's. */
export async function removePodCgroup(cgroupRoot: string, pod: Pod): Promise<void> {
  removeControlGroups(podCgroup(cgroupRoot, pod));
}

export async function removePodLogs(logs: string, pod: Pod): Promise<void> {
  await rm(podLogDirectory(logs, pod), { recursive: true, force: true });
}
