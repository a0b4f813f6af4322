import { existsSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster, clusterFolder, endLeftovers, loadSettings, readStatus, stillRuns } from '@periplus/supervisor';

const DOWN_MS_MAX = 120_000;
const POLL_MS = 50;

/** Asks the cluster's supervisor to end everything; does it itself when that was killed. */
export async function down(options: { name: string; delete?: boolean }): Promise<void> {
  const folder = clusterFolder(options.name);
  if (!existsSync(folder.path)) throw new Error(`there is no cluster ${options.name}; periplus up makes one`);
  const status = readStatus(folder);
  if (status) {
    process.kill(status.supervisor.pid, 'SIGTERM');
    const deadline = Date.now() + DOWN_MS_MAX;
    while (stillRuns(status.supervisor)) {
      if (Date.now() > deadline)
        throw new Error(`the supervisor (process ${status.supervisor.pid}) did not end; see ${folder.logs}`);
      await sleep(POLL_MS);
    }
  } else {
    await endLeftovers(folder.processes);
    const settings = loadSettings(folder);
    if (settings) await new Cluster({ folder, settings, dist: '' }).down();
  }
  if (options.delete) rmSync(folder.path, { recursive: true, force: true });
  process.stdout.write(
    options.delete
      ? `cluster ${folder.name} is down and deleted\n`
      : `cluster ${folder.name} is down; its data stays in ${folder.path}\n`,
  );
}
