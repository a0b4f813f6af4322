import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@periplus/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { endLeftovers, identify, recordProcesses, stillRuns } from '../../../libs/supervisor/src/leftovers.ts';
import { SupervisedProcess } from '../../../libs/supervisor/src/supervised-process.ts';

let folder: string;
const started: SupervisedProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'periplus-process-'));
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((process) => process.stop()));
  rmSync(folder, { recursive: true, force: true });
});

function start(script: string, stopMsMax = 5_000): SupervisedProcess {
  const spec = {
    name: 'test',
    command: process.execPath,
    args: ['-e', script],
    logFile: join(folder, 'test.log'),
    stopMsMax,
  };
  const supervised = new SupervisedProcess(spec, () => undefined);
  started.push(supervised);
  supervised.start();
  return supervised;
}

const FOREVER = 'console.log("started"); setInterval(() => {}, 1000);';
const log = (): string => readFileSync(join(folder, 'test.log'), 'utf8');

it('starts a killed process again, and says how it ended', async () => {
  const supervised = start(FOREVER);
  const first = await eventually(() => supervised.pid!);
  await eventually(() => expect(log()).toBe('started\n'));
  process.kill(first, 'SIGKILL');
  await eventually(() =>
    expect(supervised).toMatchObject({ state: 'running', restarts: 1, lastExit: 'signal SIGKILL' }),
  );
  expect(supervised.pid).not.toBe(first);
  await eventually(() => expect(log()).toBe('started\nstarted\n'));
});

it('kills what does not end when it is told to', async () => {
  const supervised = start(`process.on("SIGTERM", () => {}); ${FOREVER}`, 200);
  await eventually(() => expect(log()).toBe('started\n'));
  const { pid } = supervised;
  await supervised.stop();
  expect(identify('test', pid!)).toBeUndefined();
  expect(supervised.state).toBe('stopped');
});

it('says why a command could not be started', async () => {
  const supervised = new SupervisedProcess(
    { name: 'none', command: join(folder, 'none'), args: [], logFile: join(folder, 'none.log'), stopMsMax: 1_000 },
    () => undefined,
  );
  started.push(supervised);
  supervised.start();
  await eventually(() => expect(supervised.lastExit).toContain('ENOENT'));
});

it('ends what a killed supervisor left, but not a stranger with the same id', async () => {
  const left = start(FOREVER);
  const stranger = start(FOREVER);
  const record = join(folder, 'processes.json');
  const mine = await eventually(() => identify('left', left.pid!)!);
  const other = await eventually(() => identify('stranger', stranger.pid!)!);
  recordProcesses(record, [mine, { ...other, startTicks: '1' }]);
  expect(await endLeftovers(record)).toEqual(['left']);
  expect(stillRuns(mine)).toBe(false);
  expect(stillRuns(other)).toBe(true);
});

it('takes an unreadable record for an error that names the file', async () => {
  const record = join(folder, 'broken.json');
  writeFileSync(record, '{');
  await expect(endLeftovers(record)).rejects.toThrow(`${record} is not JSON`);
});
