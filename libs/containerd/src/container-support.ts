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

const CNI_PLUGINS = ['bridge', 'host-local', 'portmap', 'loopback'];
/** Debian's package, what most instructions say, Fedora's package. */
const CNI_DIRECTORIES = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni'];

/** Where the network plugins are; the first usual place when they are nowhere. */
export const findCniPlugins = (): string =>
  CNI_DIRECTORIES.find((folder) => CNI_PLUGINS.every((plugin) => existsSync(join(folder, plugin)))) ??
  CNI_DIRECTORIES[0]!;

/** Why containers can't run on this machine, in words for its owner; undefined when they can. */
export function whyNoContainers(): string | undefined {
  if (process.platform !== 'linux') return `containers need Linux; this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'containers need root';
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  if (((BigInt(`0x${capabilities}`) >> CAP_SYS_ADMIN) & 1n) === 0n) return 'root lacks CAP_SYS_ADMIN here';
  for (const command of ['containerd', 'containerd-shim-runc-v2', 'runc', 'ctr']) {
    if (!found(command)) return `${command} is not installed`;
  }
  const folder = findCniPlugins();
  for (const plugin of CNI_PLUGINS) {
    if (!existsSync(join(folder, plugin))) {
      return `the network plugin ${plugin} is not in ${folder} (package containernetworking-plugins)`;
    }
  }
  if (!existsSync('/sys/fs/cgroup')) return 'there are no control groups in /sys/fs/cgroup';
  return undefined;
}
