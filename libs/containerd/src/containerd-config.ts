import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findCniPlugins } from './container-support.ts';
import { PAUSE_IMAGE, pauseImage } from './images.ts';

/** A containerd of one cluster's node: all that it has is below two directories and on a bridge of its own. */
export interface ContainerdOptions {
  /** Configuration, images, snapshots, addresses: survives a restart of the machine. */
  directory: string;
  /** What dies with the machine. Kept short, for sockets. Default: `<directory>/state`. */
  stateDirectory?: string;
  /** Tells nodes on one machine apart: names the bridge. */
  name: string;
  /** The node's range of pod addresses: "10.244.0.0/24". */
  podCidr: string;
}

/** Where things are in the directory of a containerd. */
export interface ContainerdPaths {
  config: string;
  socket: string;
  root: string;
  state: string;
  cniConfig: string;
  addresses: string;
  pauseArchive: string;
  bridge: string;
  /** Rules for nft, see `applyNetworkRules`. */
  networkRules: string;
}

/** The kernel's limit of a unix socket's path, less what containerd appends for its ttrpc socket. */
const SOCKET_PATH_BYTES_MAX = 107 - '.ttrpc'.length;
/** The kernel's limit of an interface name. */
const BRIDGE_NAME_CHARS_MAX = 15;
const OVERLAYFS_MAGIC = 0x794c7630;

/** Paths and names that follow from the options. Throws when the socket's path would be too long. */
export function containerdPaths(
  options: Pick<ContainerdOptions, 'directory' | 'stateDirectory' | 'name'>,
): ContainerdPaths {
  const { directory } = options;
  const state = options.stateDirectory ?? join(directory, 'state');
  const socket = join(state, 'containerd.sock');
  if (Buffer.byteLength(socket) > SOCKET_PATH_BYTES_MAX) {
    throw new Error(`${socket}: the path of a socket may have ${SOCKET_PATH_BYTES_MAX} bytes; choose a shorter folder`);
  }
  const hash = createHash('sha256').update(`${directory}\0${options.name}`).digest('hex');
  return {
    config: join(directory, 'config.toml'),
    socket,
    root: join(directory, 'root'),
    state,
    cniConfig: join(directory, 'net.d'),
    addresses: join(directory, 'addresses'),
    pauseArchive: join(directory, 'pause.tar'),
    bridge: `per${hash}`.slice(0, BRIDGE_NAME_CHARS_MAX),
    networkRules: join(directory, 'network.nft'),
  };
}

/**
 * Writes what a containerd of one's own needs: config.toml, the network list and the pause image's archive, which
 * has to be imported once it runs. Start it with `containerd --config <paths.config>`.
 */
export function writeContainerdFiles(options: ContainerdOptions): ContainerdPaths {
  const paths = containerdPaths(options);
  for (const folder of [options.directory, paths.state, paths.root, paths.cniConfig, paths.addresses]) {
    mkdirSync(folder, { recursive: true, mode: 0o711 });
  }
  mkdirSync(join(options.directory, 'certs.d'), { recursive: true });
  writeFileSync(paths.config, containerdToml(options, paths, snapshotterFor(paths.root)));
  writeFileSync(
    join(paths.cniConfig, '10-periplus.conflist'),
    `${JSON.stringify(networkList(options, paths), null, 2)}\n`,
  );
  writeFileSync(paths.networkRules, networkRules(options, paths));
  writeFileSync(paths.pauseArchive, pauseImage());
  return paths;
}

/**
 * Rewrites source addresses of packets that leave the pod range, so that pods reach the outside: one rule for the
 * node, where the bridge plugin would add one (and run iptables) for each pod. Idempotent; needs root and nft.
 */
export async function applyNetworkRules(paths: ContainerdPaths): Promise<void> {
  await promisify(execFile)('nft', ['-f', paths.networkRules]);
}

export function networkRules(options: ContainerdOptions, { bridge }: ContainerdPaths): string {
  return `table ip ${bridge}
delete table ip ${bridge}
table ip ${bridge} {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${options.podCidr} ip daddr != ${options.podCidr} oifname != "${bridge}" masquerade
  }
}
`;
}

/** overlayfs can't be stacked on itself (a machine that is itself a container): copies do. */
function snapshotterFor(root: string): 'overlayfs' | 'native' {
  return statfsSync(root).type === OVERLAYFS_MAGIC ? 'native' : 'overlayfs';
}

export function containerdToml(options: ContainerdOptions, paths: ContainerdPaths, snapshotter: string): string {
  const text = JSON.stringify; // TOML's basic strings are JSON's
  return `version = 2
root = ${text(paths.root)}
state = ${text(paths.state)}
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]

[grpc]
  address = ${text(paths.socket)}

[plugins."io.containerd.internal.v1.opt"]
  path = ${text(join(options.directory, 'opt'))}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${text(PAUSE_IMAGE)}
  # Without CAP_SYS_RESOURCE the score of sandboxes could not be set and none would start.
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = ${text(snapshotter)}

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = ${text(findCniPlugins())}
    conf_dir = ${text(paths.cniConfig)}

  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = ${text(join(options.directory, 'certs.d'))}
`;
}

/** A bridge with addresses from the node's range, and host ports. https://www.cni.dev/plugins/current/ */
export function networkList(options: ContainerdOptions, paths: ContainerdPaths): Record<string, unknown> {
  return {
    cniVersion: '0.4.0',
    name: paths.bridge,
    plugins: [
      {
        type: 'bridge',
        bridge: paths.bridge,
        isGateway: true,
        ipMasq: false,
        // A pod may reach itself through its Service.
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          dataDir: paths.addresses,
          ranges: [[{ subnet: options.podCidr }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}
