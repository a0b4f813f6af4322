import { expect, it } from 'vitest';
import { refusedLogins } from './refused-logins.ts';

it('says why logins were refused, and how many more there were, but not more than once a second', () => {
  const lines: object[] = [];
  let nowMs = 0;
  const refused = refusedLogins({ info: (fields) => lines.push(fields) }, () => nowMs);
  refused('first');
  nowMs = 999;
  refused('second');
  refused('third');
  nowMs = 1_000;
  refused('fourth');
  nowMs = 5_000;
  refused('fifth');
  expect(lines).toEqual([{ why: 'first' }, { why: 'fourth', unreported: 2 }, { why: 'fifth' }]);
});
