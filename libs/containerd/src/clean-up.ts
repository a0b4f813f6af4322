/**
 * Takes away what the containers of one node left in the kernel after their containerd is gone: shims, processes,
 * mounts, network namespaces, control groups, the bridge. The files below the directories stay.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerdPaths } from './containerd-config.ts';

export interface Leftovers {
  paths: Pick<ContainerdPaths, 'socket' | 'state' | 'root' | 'bridge'>;
  /** Below it are the control groups of the node's pods: "/periplus-1a2b3c". */
  cgroupRoot: string;
  /** Further directories to unmount everything in: the volumes of the pods. */
  directories: readonly string[];
}

const CGROUP_MOUNT = '/sys/fs/cgroup';
const RUNC_ROOT = '/run/containerd/runc/k8s.io';
const NETWORK_NAMESPACES = '/run/netns';
const CNI_RESULTS = '/var/lib/cni/results';
/** Killed processes are gone after some milliseconds, but a busy machine may take its time. */
const KILL_ROUNDS_MAX = 50;
const KILL_ROUND_MS = 20;

/**
 * Ends the containers that the containerd of `leftovers` started, and undoes what they had. Call it once that
 * containerd has ended; nothing of another containerd is touched.
 */
export async function cleanUpContainers(leftovers: Leftovers): Promise<void> {
  const { paths } = leftovers;
  const sandboxes = bundles(paths.state);
  await killAll(() => [...shims(paths.socket), ...membersOf(leftovers.cgroupRoot)]);
  unmountBelow([paths.state, paths.root, ...leftovers.directories]);
  for (const { id, network } of sandboxes) {
    if (network) removeNetworkNamespace(network);
    rmSync(join(RUNC_ROOT, id), { recursive: true, force: true });
    rmSync(join(CNI_RESULTS, `cni-loopback-${id}-lo`), { force: true });
  }
  removeControlGroups(leftovers.cgroupRoot);
  removeNetwork(paths.bridge);
}

/** The containers that have a bundle, and the network namespace that each lives in. */
function bundles(state: string): { id: string; network: string | undefined }[] {
  return globSync(join(state, 'io.containerd.runtime.v2.task/k8s.io/*/config.json')).map((path) => {
    const spec = JSON.parse(readFileSync(path, 'utf8')) as {
      linux?: { namespaces?: { type: string; path?: string }[] };
    };
    const network = spec.linux?.namespaces?.find((namespace) => namespace.type === 'network')?.path;
    return { id: path.split('/').at(-2)!, network: network?.includes('/netns/') ? network : undefined };
  });
}

function shims(socket: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return words[0]!.endsWith('containerd-shim-runc-v2') && words[words.indexOf('-address') + 1] === socket;
      } catch {
        return false; // ended meanwhile
      }
    })
    .map(Number);
}

/** The control group in every hierarchy: one per controller in version 1, one in all in version 2. */
function controlGroups(cgroupRoot: string): string[] {
  const name = cgroupRoot.replace(/^\/+/, '');
  if (!name) throw new Error('the control group of the pods must not be the root');
  return [join(CGROUP_MOUNT, name), ...globSync(join(CGROUP_MOUNT, '*', name))].filter((path) => existsSync(path));
}

function membersOf(cgroupRoot: string): number[] {
  const pids = controlGroups(cgroupRoot).flatMap((group) =>
    [join(group, 'cgroup.procs'), ...globSync(join(group, '**/cgroup.procs'))].flatMap((path) => {
      try {
        return readFileSync(path, 'utf8').split('\n').filter(Boolean).map(Number);
      } catch {
        return []; // the group went away meanwhile
      }
    }),
  );
  return [...new Set(pids)].filter((pid) => pid > 0);
}

async function killAll(find: () => number[]): Promise<void> {
  for (let round = 0; round < KILL_ROUNDS_MAX; round += 1) {
    const pids = find();
    if (pids.length === 0) return;
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // ended meanwhile
      }
    }
    await sleep(KILL_ROUND_MS);
  }
}

function unmountBelow(directories: readonly string[]): void {
  const inside = (path: string): boolean => directories.some((directory) => path.startsWith(`${directory}/`));
  const points = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) =>
      (line.split(' ')[1] ?? '').replace(/\\(\d{3})/g, (_, code) => String.fromCharCode(parseInt(code, 8))),
    )
    .filter(inside)
    .sort((a, b) => b.length - a.length);
  for (const point of points) attempt('umount', ['--lazy', point]);
}

/**
 * Removes a control group and those below it from every hierarchy. Returns whether all are gone: a group with
 * processes in it stays.
 */
export function removeControlGroups(cgroupRoot: string): boolean {
  for (const group of controlGroups(cgroupRoot)) {
    const below = globSync(join(group, '**/cgroup.procs')).map((path) => join(path, '..'));
    for (const path of [...below, group].sort((a, b) => b.length - a.length)) {
      try {
        rmdirSync(path);
      } catch {
        // looked at again below
      }
    }
  }
  return controlGroups(cgroupRoot).length === 0;
}

function removeNetworkNamespace(path: string): void {
  attempt('umount', ['--lazy', path]);
  rmSync(path, { force: true });
}

function removeNetwork(bridge: string): void {
  // A sandbox that was being made has a cable to the bridge already, and no bundle that would tell of it.
  const cables = attempt('ip', ['-oneline', 'link', 'show', 'master', bridge]);
  for (const [, name] of cables.matchAll(/ link-netns (cni-\S+)/g))
    removeNetworkNamespace(join(NETWORK_NAMESPACES, name!));
  attempt('ip', ['link', 'delete', bridge]);
  attempt('nft', ['delete', 'table', 'ip', bridge]);
  removeHostPorts(bridge);
  if (!existsSync(CNI_RESULTS)) return;
  for (const name of readdirSync(CNI_RESULTS)) {
    if (name.startsWith(`${bridge}-`)) rmSync(join(CNI_RESULTS, name));
  }
}

/** The portmap plugin has a chain per pod with host ports, and comments its rules with the network's name. */
function removeHostPorts(network: string): void {
  const rules = attempt('iptables-save', ['-t', 'nat']).split('\n');
  const chains = new Set<string>();
  for (const rule of rules) {
    const chain = / -j (CNI-DN-\w+)/.exec(rule)?.[1];
    if (!chain || !rule.includes(`name: \\"${network}\\"`)) continue;
    chains.add(chain);
    const words = [...rule.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map((m) => m[1]?.replaceAll('\\"', '"') ?? m[2]!);
    attempt('iptables', ['-t', 'nat', '-D', ...words.slice(1)]);
  }
  for (const chain of chains) {
    attempt('iptables', ['-t', 'nat', '-F', chain]);
    attempt('iptables', ['-t', 'nat', '-X', chain]);
  }
}

/** Runs a command whose failure means that there was nothing to do. */
function attempt(command: string, options: readonly string[]): string {
  try {
    return execFileSync(command, options, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}
