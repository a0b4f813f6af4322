import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EtcdMember, EtcdMemberPlan } from './etcd-member.ts';

const STOP_MS_MAX = 5_000;

/** etcd as a child process, which ends with this one. */
export async function startEtcdProcess(plan: EtcdMemberPlan, binary: string): Promise<EtcdMember> {
  const { name, endpoint, folder, clientPort, peerPort } = plan;
  const logFile = join(folder, 'etcd.log');
  const args = plan.args({ host: '127.0.0.1', clientPort, peerPort, folder });
  let child: ChildProcess | null = null;
  const killWithUs = (): void => void child?.kill('SIGKILL');
  process.on('exit', killWithUs);

  const member: EtcdMember = {
    name,
    endpoint,
    async start() {
      const log = openSync(logFile, 'a');
      child = spawn(binary, args, { stdio: ['ignore', log, log] });
      closeSync(log);
      await new Promise((resolve, reject) => child!.once('spawn', resolve).once('error', reject));
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
    async remove() {
      await end(child, 'SIGKILL');
      process.off('exit', killWithUs);
    },
  };
  await member.start();
  return member;
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
