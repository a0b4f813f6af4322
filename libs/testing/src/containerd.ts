import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  applyNetworkRules,
  type ContainerdPaths,
  cleanUpContainers,
  findStaticBusybox,
  HELLO_IMAGE,
  helloImage,
  importImage,
  whyNoContainers,
  writeContainerdFiles,
} from '@periplus/containerd';
import { openCri } from '@periplus/cri';

/** A containerd of a test's own, with the pause image and the hello image in it. */
export interface TestContainerd extends AsyncDisposable {
  /** Its working directory, with room for what else the test needs on disk. */
  directory: string;
  socket: string;
  paths: ContainerdPaths;
  /** Below it a test has to keep the control groups of its pods. */
  cgroupRoot: string;
  /** A small image with a shell: `localhost/hello:1`. */
  image: string;
  /** Ends the daemon only, as a crash does; the containers go on. */
  kill(): Promise<void>;
  /** Starts the daemon again after `kill`. */
  start(): Promise<void>;
  /** Ends everything and removes the directory. */
  stop(): Promise<void>;
}

const START_MS_MAX = 20_000;

/** Why tests that need containers have to be skipped here; undefined when they can run. */
export function whyNoTestContainers(): string | undefined {
  return whyNoContainers() ?? (findStaticBusybox() ? undefined : 'there is no static busybox (package busybox-static)');
}

/**
 * Starts a containerd with its own directory, socket, bridge and address range. Needs root; ask
 * `whyNoTestContainers` first.
 */
export async function startContainerd(): Promise<TestContainerd> {
  const directory = mkdtempSync(join(tmpdir(), 'periplus-ctrd-'));
  const hash = createHash('sha256').update(directory).digest();
  const paths = writeContainerdFiles({
    directory,
    name: 'test',
    // Tests run side by side: a range of its own for each directory, from one that nothing routes.
    podCidr: `10.${192 + (hash[0]! % 32)}.${hash[1]}.0/24`,
  });
  const cgroupRoot = `/periplus-test-${hash.toString('hex', 0, 6)}`;
  const log = join(directory, 'containerd.log');
  let daemon: ChildProcess | null = null;

  const kill = async (): Promise<void> => {
    if (!daemon || daemon.exitCode !== null || daemon.signalCode !== null) return;
    daemon.kill('SIGKILL');
    await once(daemon, 'exit');
  };
  const start = async (): Promise<void> => {
    const output = openSync(log, 'a');
    daemon = spawn('containerd', ['--config', paths.config], { stdio: ['ignore', output, output] });
    await untilReady(paths.socket, daemon, log);
  };
  const stop = async (): Promise<void> => {
    await kill();
    await cleanUpContainers({ paths, cgroupRoot, directories: [directory] });
    rmSync(directory, { recursive: true, force: true });
  };

  try {
    await start();
    await applyNetworkRules(paths);
    const hello = join(directory, 'hello.tar');
    writeFileSync(hello, helloImage(findStaticBusybox()!));
    await importImage(paths.socket, paths.pauseArchive);
    await importImage(paths.socket, hello);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ...{ directory, socket: paths.socket, paths, cgroupRoot, image: HELLO_IMAGE, kill, start, stop },
    [Symbol.asyncDispose]: stop,
  };
}

async function untilReady(socket: string, daemon: ChildProcess, log: string): Promise<void> {
  const cri = openCri(socket);
  try {
    for (const giveUpAt = Date.now() + START_MS_MAX; ; ) {
      const ready = await cri.conditions().then(
        (conditions) => conditions.length > 0 && conditions.every((condition) => condition.status),
        () => false,
      );
      if (ready) return;
      if (daemon.exitCode !== null || Date.now() > giveUpAt) {
        throw new Error(`containerd did not start:\n${readFileSync(log, 'utf8').slice(-2_000)}`);
      }
      await sleep(20);
    }
  } finally {
    cri.close();
  }
}
