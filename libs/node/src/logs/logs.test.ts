import { appendFileSync, existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { LogFilter, type LogSelection } from './log-lines.ts';
import { logsToRemove, rotateLog } from './log-rotation.ts';
import { LogNotFound, logQuery, mayReadLogs } from './log-server.ts';
import { type LogRequest, readLog } from './read-log.ts';

const folder = mkdtempSync(join(tmpdir(), 'periplus-logs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const line = (second: number, text: string, tag = 'F'): string =>
  `2026-11-21T12:00:0${second}.000000001Z stdout ${tag} ${text}\n`;
const LOG = line(1, 'one') + line(2, 'tw', 'P') + line(2, 'o') + line(3, '') + line(4, 'four');
const filtered = (selection: Partial<LogSelection>, text = LOG): string =>
  new LogFilter({ timestamps: false, ...selection }).push(Buffer.from(text)).toString();

describe('LogFilter', () => {
  it('shows the text of lines, with their parts joined', () => {
    expect(filtered({})).toBe('one\ntwo\n\nfour\n');
  });

  it('shows the time of a line once', () => {
    expect(filtered({ timestamps: true }).split('\n').slice(0, 2)).toEqual([
      '2026-11-21T12:00:01.000000001Z one',
      '2026-11-21T12:00:02.000000001Z two',
    ]);
  });

  it('starts at a time and stops at a size', () => {
    expect(filtered({ sinceMs: Date.parse('2026-11-21T12:00:03Z') })).toBe('\nfour\n');
    expect(filtered({ limitBytes: 6 })).toBe('one\ntw');
  });

  it('gives the same whatever pieces the file is read in', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(LOG.length)), (cuts) => {
        const filter = new LogFilter({ timestamps: false });
        const at = [0, ...cuts.sort((a, b) => a - b), LOG.length];
        const parts = at.slice(1).map((end, i) => filter.push(Buffer.from(LOG.slice(at[i], end))).toString());
        expect(parts.join('')).toBe(filtered({}));
      }),
    );
  });

  it('skips what the runtime can not have written', () => {
    expect(filtered({}, `garbage\n${line(1, 'one')}`)).toBe('one\n');
  });
});

describe('readLog', () => {
  const read = async (request: Partial<LogRequest> & { path: string }): Promise<string> => {
    let text = '';
    const all = { follow: false, timestamps: false, isRunning: () => false, ...request };
    for await (const bytes of readLog(all, new AbortController().signal)) text += bytes;
    return text;
  };

  it.each([
    [0, ''],
    [1, 'four\n'],
    [2, '\nfour\n'],
    [99, 'one\ntwo\n\nfour\n'],
  ])('shows the last %i lines', async (tailLines, expected) => {
    const path = join(folder, 'tail.log');
    writeFileSync(path, LOG);
    expect(await read({ path, tailLines })).toBe(expected);
  });

  it('finds the last lines of a long log', async () => {
    const path = join(folder, 'long.log');
    writeFileSync(path, Array.from({ length: 20_000 }, (_, i) => line(1, `line ${i}`)).join(''));
    expect(await read({ path, tailLines: 3 })).toBe('line 19997\nline 19998\nline 19999\n');
  });

  it('follows a log over a rotation until the container has ended', async () => {
    const path = join(folder, 'follow.log');
    writeFileSync(path, line(1, 'first'));
    let asked = 0;
    const isRunning = (): boolean => {
      asked += 1;
      if (asked === 1) {
        appendFileSync(path, line(2, 'second'));
        renameSync(path, `${path}.old`);
        writeFileSync(path, line(3, 'third'));
      }
      return asked < 3;
    };
    expect(await read({ path, follow: true, isRunning })).toBe('first\nsecond\nthird\n');
  });

  it('rejects when there is no such log', async () => {
    await expect(read({ path: join(folder, 'absent.log') })).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('rotateLog', () => {
  const limits = { bytesMax: 10, filesMax: 3 };

  it('leaves a small log alone', async () => {
    const path = join(folder, 'small.log');
    writeFileSync(path, '12345');
    expect(await rotateLog(path, () => Promise.reject(new Error('not called')), 0, limits)).toBe(false);
  });

  it('puts a large one aside and keeps as many as there may be', async () => {
    const path = join(folder, 'large.log');
    for (let i = 0; i < 5; i += 1) {
      writeFileSync(path, 'x'.repeat(11));
      expect(await rotateLog(path, () => Promise.resolve(), Date.UTC(2026, 0, 1, 0, 0, i), limits)).toBe(true);
    }
    const rotated = readdirSync(folder).filter((name) => name.startsWith('large.log.'));
    expect(rotated).toEqual(['large.log.20260101-000003', 'large.log.20260101-000004']);
  });

  it('puts it back when the runtime does not open a new one', async () => {
    const path = join(folder, 'back.log');
    writeFileSync(path, 'x'.repeat(11));
    await expect(rotateLog(path, () => Promise.reject(new Error('no')), 0, limits)).rejects.toThrow('no');
    expect(existsSync(path)).toBe(true);
  });

  it('removes the oldest', () => {
    expect(logsToRemove(['a.3', 'a.1', 'a.2', 'a.4'], 4)).toEqual(['a.1', 'a.2']);
  });
});

describe('the log server', () => {
  it('reads the options of a request', () => {
    expect(logQuery(new URLSearchParams('follow=true&tailLines=5&limitBytes=9&timestamps=true'))).toEqual({
      ...{ follow: true, previous: false, timestamps: true, tailLines: 5, limitBytes: 9 },
    });
    expect(logQuery(new URLSearchParams('sinceTime=2026-11-21T12:00:00Z')).sinceMs).toBe(Date.UTC(2026, 10, 21, 12));
    expect(() => logQuery(new URLSearchParams('tailLines=-1'))).toThrow(LogNotFound);
  });

  it.each([
    ['system:masters', true],
    [['other', 'system:masters'], true],
    ['system:nodes', false],
    [undefined, false],
  ])('lets %j in: %s', (O, expected) => {
    expect(mayReadLogs({ getPeerCertificate: () => ({ subject: { O } }) as never })).toBe(expected);
  });
});
