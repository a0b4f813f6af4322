import type { Secret } from '@periplus/api';
import { beforeEach, expect, it } from 'vitest';
import type { Operations } from '../types.ts';
import { LegacyTokenUses } from './legacy-token-uses.ts';

const LAST_USED = 'kubernetes.io/legacy-token-last-used';
const NOON = Date.parse('2026-11-21T12:00:00Z');

let written: { name: string; labels: unknown; end(error?: Error): void }[];
let uses: LegacyTokenUses;
const operations: Pick<Operations, 'patch'> = {
  patch: (_context, { name }, patch) =>
    new Promise((resolve, reject) => {
      const { labels } = (patch.body.value as { metadata: { labels: unknown } }).metadata;
      const end = (error?: Error): void => (error ? reject(error) : resolve({} as never));
      written.push({ name, labels, end });
    }),
};
const secretUsed = (day?: string, name = 's'): Secret => ({
  ...{ apiVersion: 'v1', kind: 'Secret' },
  metadata: { namespace: 'default', name, uid: name, ...(day && { labels: { [LAST_USED]: day } }) },
});

beforeEach(() => {
  written = [];
  uses = new LegacyTokenUses(() => NOON);
  uses.writeTo(operations);
});

it.each<[string | undefined, boolean]>([
  [undefined, true],
  ['2026-11-20', true],
  ['2026-11-21', false],
  ['2026-11-22', false],
  ['2026-11-23', true],
])('of a secret last used at %s the use is written: %s', (day, isWritten) => {
  uses.note(secretUsed(day));
  const expected = isWritten ? [expect.objectContaining({ name: 's', labels: { [LAST_USED]: '2026-11-21' } })] : [];
  expect(written).toEqual(expected);
});

it('writes once at a time, and again when that came to nothing', async () => {
  uses.note(secretUsed());
  uses.note(secretUsed());
  expect(written).toHaveLength(1);
  written[0]!.end(new Error('no'));
  await new Promise(setImmediate);
  uses.note(secretUsed());
  expect(written).toHaveLength(2);
});

it('lets uses go by rather than write too many at once', () => {
  for (let i = 0; i < 20; i++) uses.note(secretUsed(undefined, `s-${i}`));
  expect(written).toHaveLength(16);
});
