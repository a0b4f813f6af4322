import type { Change, Entry } from '@periplus/cache';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readContinueToken, writeContinueToken } from './continue-token.ts';
import { pathOf, rolledBack } from './roll-back.ts';

const entry = (path: string, revision: number): Entry => {
  const [namespace, name] = path.split('/') as [string, string];
  return { key: { group: '', resource: 'x', namespace, name }, revision, index: 0 } as Entry;
};
const sorted = (state: ReadonlyMap<string, Entry>): Entry[] =>
  [...state.values()].sort((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1));

it('takes a list back to what it was at any time', () => {
  const paths = fc.constantFrom('a/x', 'a/y', 'a-b/x', 'a-b/z', 'b/x', 'b/y', 'b/z');
  const steps = fc.array(fc.tuple(paths, fc.boolean()), { maxLength: 30 });
  fc.assert(
    fc.property(steps, fc.nat(30), fc.constantFrom('', 'a', 'b'), (all, since, namespace) => {
      const state = new Map<string, Entry>();
      const changes: Change[] = [];
      let then: Entry[] = [];
      const inNamespace = () => sorted(state).filter(({ key }) => namespace === '' || key.namespace === namespace);
      all.forEach(([path, isDeleted], revision) => {
        if (revision === since) then = inNamespace();
        const previous = state.get(path) ?? null;
        if (isDeleted && previous === null) return;
        const next = entry(path, revision);
        const type = isDeleted ? 'deleted' : previous === null ? 'added' : 'modified';
        if (revision >= since) changes.push({ type, entry: next, previous });
        if (isDeleted) state.delete(path);
        else state.set(path, next);
      });
      if (since >= all.length) then = inNamespace();
      expect(rolledBack(inNamespace(), changes, namespace)).toEqual(then);
    }),
  );
});

it('reads the tokens that it writes, and no others', () => {
  const token = { revision: 7, after: 'ns/name' };
  expect(readContinueToken(writeContinueToken(token))).toEqual(token);
  expect(readContinueToken(writeContinueToken({ revision: null, after: 'x' }))).toEqual({ revision: null, after: 'x' });
  const forged = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const bad = [
    '%',
    'AAAA',
    'x'.repeat(10_000),
    forged(null),
    forged({ v: 'v2', rv: 1, start: 'a\0' }),
    forged({ v: 'meta.k8s.io/v1', rv: 0, start: 'a\0' }),
    forged({ v: 'meta.k8s.io/v1', rv: 1.5, start: 'a\0' }),
    forged({ v: 'meta.k8s.io/v1', rv: 1, start: '' }),
    forged({ v: 'meta.k8s.io/v1', rv: 1, start: 'a\0b\0' }),
  ];
  for (const text of bad) expect(() => readContinueToken(text), text.slice(0, 40)).toThrow(/^invalid continue token: /);
});
