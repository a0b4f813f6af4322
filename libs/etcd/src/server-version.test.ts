import { expect, test } from 'vitest';
import { answersProgressInOrder } from './server-version.ts';

test.for([
  ['3.3.27', false],
  ['3.4.23', false],
  ['3.4.30', false],
  ['3.4.31', true],
  ['3.5.0', false],
  ['3.5.12', false],
  ['3.5.30', true],
  ['3.6.0', true],
  ['3.10.1', true],
  ['4.0.0', true],
  [null, false],
] as const)('progress that etcd %s is asked for is believed: %s', ([version, believed]) => {
  expect(answersProgressInOrder(version)).toBe(believed);
});
