import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { EtcdMember, EtcdMemberPlan } from './etcd-member.ts';

const STOP_MS_MAX = 5_000;

/** etcd as a child process, which ends with this one, however that ends. */
export async function startEtcdProcess(plan: EtcdMemberPlan, binary: string): Promise<EtcdMember> {
  const { name, endpoint, folder, clientPort, peerPort } = plan;
  const logFile = join(folder, 'etcd.log');
  const args = plan.args({ host: '127.0.0.1', clientPort, peerPort, folder });
  let child: ChildProcess | null = null;

  const member: EtcdMember = {
    name,
    endpoint,
    async start() {
      const log = openSync(logFile, 'a');
      child = spawn(binary, args, { stdio: ['ignore', log, log] });
      closeSync(log);
      await once(child, 'spawn');
      endWithUs(child);
    },
    async pause() {
      child?.kill('SIGSTOP');
    },
    async resume() {
      child?.kill('SIGCONT');
    },
    kill: () => end(child, 'SIGKILL'),
    stop: () => end(child, 'SIGTERM'),
    async log() {
      return readFileSync(logFile, 'utf8');
    },
    remove: () => end(child, 'SIGKILL'),
  };
  await member.start();
  return member;
}

/** A killed test can't clean up: a shell that waits for our end of its input to close does. */
function endWithUs(child: ChildProcess): void {
  const script = 'cat >/dev/null; kill -9 "$0" 2>/dev/null';
  const watcher = spawn('sh', ['-c', script, String(child.pid)], { stdio: ['pipe', 'ignore', 'ignore'] });
  watcher.unref();
  (watcher.stdin as Socket).unref();
  child.once('exit', () => watcher.kill('SIGKILL'));
}

function end(child: ChildProcess | null, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (child === null || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill(signal);
  });
}
