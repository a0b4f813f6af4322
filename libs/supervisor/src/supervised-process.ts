import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

export interface ProcessSpec {
  name: string;
  command: string;
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  logFile: string;
  /** Ended by SIGKILL when SIGTERM has not ended it by then. */
  stopMsMax: number;
}

export type ProcessState = 'starting' | 'running' | 'restarting' | 'stopped';

/** A log file that has grown beyond this is kept as `<name>.log.1` when the process starts again. */
const LOG_BYTES_MAX = 64 << 20;
const BACKOFF_MS_MIN = 200;
const BACKOFF_MS_MAX = 10_000;
/** A process that ran this long has recovered: its next restart is quick again. */
const STEADY_MS = 30_000;

/**
 * One child process: started, its output appended to its log file, started again with a growing delay when it
 * ends by itself, and stopped. Children lead their own process groups, so that a Ctrl-C in the terminal reaches
 * only the supervisor, which stops them in order.
 */
export class SupervisedProcess {
  readonly spec: ProcessSpec;
  restarts = 0;
  state: ProcessState = 'stopped';
  /** How the last run ended: "exit code 1", "signal SIGKILL", or why it could not start. */
  lastExit: string | undefined;
  private child: ChildProcess | undefined;
  private startedAt = 0;
  private backoffMs = BACKOFF_MS_MIN;
  private timer: NodeJS.Timeout | undefined;
  private readonly changed: () => void;

  constructor(spec: ProcessSpec, changed: () => void) {
    this.spec = spec;
    this.changed = changed;
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  start(): void {
    if (this.child || this.timer) return;
    this.launch();
  }

  /** Resolves when the process has ended; at once when it doesn't run. */
  async stop(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.state = 'stopped';
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), this.spec.stopMsMax);
    await ended;
    clearTimeout(killer);
  }

  private launch(): void {
    const log = openLog(this.spec.logFile);
    this.startedAt = Date.now();
    this.state = this.restarts === 0 ? 'starting' : 'restarting';
    const child = spawn(this.spec.command, this.spec.args, {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...this.spec.env },
      ...(this.spec.cwd && { cwd: this.spec.cwd }),
    });
    closeSync(log);
    this.child = child;
    child.once('spawn', () => {
      this.state = 'running';
      this.changed();
    });
    child.once('error', (error) => this.ended(child, `cannot start ${this.spec.command}: ${error.message}`));
    child.once('exit', (code, signal) => this.ended(child, signal ? `signal ${signal}` : `exit code ${code}`));
  }

  private ended(child: ChildProcess, how: string): void {
    if (this.child !== child) return;
    this.child = undefined;
    this.lastExit = how;
    if (this.state !== 'stopped') {
      this.state = 'restarting';
      if (Date.now() - this.startedAt > STEADY_MS) this.backoffMs = BACKOFF_MS_MIN;
      this.timer = setTimeout(() => {
        this.timer = undefined;
        this.restarts += 1;
        this.launch();
      }, this.backoffMs);
      this.backoffMs = Math.min(this.backoffMs * 2, BACKOFF_MS_MAX);
    }
    this.changed();
  }
}

function openLog(path: string): number {
  mkdirSync(dirname(path), { recursive: true });
  const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (bytes > LOG_BYTES_MAX) renameSync(path, `${path}.1`);
  return openSync(path, 'a', 0o640);
}
