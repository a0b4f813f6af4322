import { Keys } from '@periplus/store';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GateAccess } from './access.ts';

const access = new GateAccess(new Keys('/periplus'));
const one = { node: 'one' };

/** What node "one" may see, by what a key starts with. */
const VISIBLE = [
  '/periplus/nodes/one/',
  '/periplus/registry/core/services/',
  '/periplus/registry/core/nodes/',
  '/periplus/registry/discovery.k8s.io/endpointslices/',
  '/periplus/registry/networking.k8s.io/networkpolicies/',
];
const isVisible = (key: string): boolean =>
  VISIBLE.some((prefix) => key.startsWith(prefix)) || key === '/periplus/liveness/one';

/** Keys around the borders of what may be seen. */
const borderKey = fc
  .tuple(
    fc.constantFrom(
      ...VISIBLE,
      '/periplus/',
      '/periplus/nodes/',
      '/periplus/nodes/one',
      '/periplus/registry/',
      '/periplus/liveness/one',
      '',
    ),
    fc.constantFrom('', '0', '/', '.', 'a', '\0', 'x/y', '\u{10ffff}', '\uffff', '\ud7ff'),
  )
  .map(([start, rest]) => start + rest);
const borderEnd = fc.oneof(
  borderKey,
  borderKey.map((key) => `${key.slice(0, -1)}0`),
  fc.constantFrom('', '\0'),
);

const within = (key: string, from: string, end: string): boolean => {
  const [bytes, first, last] = [key, from, end].map((each) => Buffer.from(each)) as [Buffer, Buffer, Buffer];
  if (end === '') return bytes.equals(first);
  return bytes.compare(first) >= 0 && (end === '\0' || bytes.compare(last) < 0);
};

test('whatever range is asked for, no key in it is one that may not be seen', () => {
  const property = fc.property(borderKey, borderEnd, borderKey, (key, rangeEnd, probe) => {
    if (access.mayRead(one, key, rangeEnd) && within(probe, key, rangeEnd)) expect(isVisible(probe)).toBe(true);
  });
  fc.assert(property, { numRuns: 20_000 });
});

test('a key is readable by itself exactly when it may be seen', () => {
  fc.assert(
    fc.property(borderKey, (key) => access.mayRead(one, key, '') === isVisible(key)),
    { numRuns: 2_000 },
  );
});

test('a range without an end, or from nowhere, is never readable', () => {
  fc.assert(fc.property(borderKey, (key) => !access.mayRead(one, key, '\0')));
  fc.assert(fc.property(borderEnd, (end) => !access.mayRead({ everyNode: true }, '', end)));
});

test.for([
  [one, '/periplus/liveness/one', true],
  [one, '/periplus/liveness/two', false],
  [one, '/periplus/liveness/one/', false],
  [one, '/periplus/nodes/one/x', false],
  [{ everyNode: true }, '/periplus/liveness/two', true],
  [{ everyNode: true }, '/periplus/registry/core/nodes/two', false],
] as const)('%j may hold %s: %s', ([identity, key, allowed]) => {
  expect(access.mayHold(identity, key)).toBe(allowed);
});
