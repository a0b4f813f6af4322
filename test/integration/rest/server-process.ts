import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePorts } from '@periplus/testing';
import type { TestServer } from './test-server.ts';

let started = 0;
const MAIN = join(import.meta.dirname, '../../../apps/api-server/src/main.ts');

/** An api-server in a process of its own: the lines of its log, and how it ended. */
export class ServerProcess {
  readonly child: ChildProcess;
  readonly grpcPort: number;
  readonly lines: { msg: string; level: string }[] = [];
  readonly exit: Promise<number | null>;

  constructor({ folder }: TestServer, config: { grpcPort?: number }) {
    this.grpcPort = config.grpcPort ?? 0;
    const file = join(folder, `api-server-${started++}.json`);
    writeFileSync(file, JSON.stringify(config));
    this.child = spawn(process.execPath, [MAIN, '--config', file], { stdio: ['ignore', 'pipe', 'inherit'] });
    // Not before its last words have been read.
    this.exit = once(this.child, 'close').then(([code]) => code as number | null);
    createInterface({ input: this.child.stdout! }).on('line', (line) => this.lines.push(JSON.parse(line)));
  }

  said(message: string): boolean {
    return this.lines.some(({ msg }) => msg.includes(message));
  }
}

/** For one more server of the cluster that `server` belongs to. */
export async function configuration(
  server: TestServer,
  more: object = {},
): Promise<{ port: number; grpcPort: number } & Record<string, unknown>> {
  const [port, grpcPort] = await freePorts(2);
  const path = (name: string) => join(server.folder, name);
  return {
    port: port!,
    grpcPort: grpcPort!,
    etcd: { endpoints: server.config.etcd.endpoints },
    tls: { cert: path('apiserver.crt'), key: path('apiserver.key'), clientCa: path('ca.crt') },
    serviceAccounts: { signingKey: path('sa.key') },
    encryptionKeys: path('encryption-keys.json'),
    ...more,
  };
}
