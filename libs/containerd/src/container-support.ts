import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const found = (command: string): boolean =>
  [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'].some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** Effective capability 21, needed for mounts and namespaces; root inside an unprivileged container lacks it. */
const CAP_SYS_ADMIN = 21n;

/** Why containers can't run on this machine, in words for its owner; undefined when they can. */
export function whyNoContainers(cniBinDirectory = '/usr/lib/cni'): string | undefined {
  if (process.platform !== 'linux') return `containers need Linux; this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'containers need root';
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  if (((BigInt(`0x${capabilities}`) >> CAP_SYS_ADMIN) & 1n) === 0n) return 'root lacks CAP_SYS_ADMIN here';
  for (const command of ['containerd', 'containerd-shim-runc-v2', 'runc', 'ctr']) {
    if (!found(command)) return `${command} is not installed`;
  }
  for (const plugin of ['bridge', 'host-local', 'portmap', 'loopback']) {
    if (!existsSync(join(cniBinDirectory, plugin))) {
      return `the network plugin ${plugin} is not in ${cniBinDirectory} (package containernetworking-plugins)`;
    }
  }
  if (!existsSync('/sys/fs/cgroup')) return 'there are no control groups in /sys/fs/cgroup';
  return undefined;
}
