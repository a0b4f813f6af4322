import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CachedObject } from './cached-object.ts';
import { SortedObjects } from './sorted-objects.ts';

const objectOf = (path: string): CachedObject => ({ path }) as CachedObject;
const pathsOf = (objects: Iterable<CachedObject>): string[] => Array.from(objects, ({ path }) => path);
const namespaces = ['a', 'a-b', 'a.b', 'b', 'z'];

describe('SortedObjects', () => {
  it('is what a sorted array would be, whatever is added and removed', () => {
    const paths = fc.tuple(fc.constantFrom(...namespaces), fc.integer({ min: 0, max: 400 })).map((p) => p.join('/'));
    const steps = fc.array(fc.tuple(fc.boolean(), fc.array(paths, { maxLength: 400 })), { maxLength: 12 });
    fc.assert(
      fc.property(steps, paths, fc.integer({ min: 1, max: 700 }), (script, after, limit) => {
        const sorted = new SortedObjects();
        const model = new Map<string, CachedObject>();
        for (const [add, touched] of script) {
          for (const path of touched) {
            if (add) {
              const object = objectOf(path);
              sorted.set(object);
              model.set(path, object);
            } else {
              sorted.delete(path);
              model.delete(path);
            }
          }
        }
        const expected = [...model.keys()].sort();
        expect(sorted.size).toBe(model.size);
        expect(pathsOf(sorted)).toEqual(expected);
        expect(pathsOf(sorted.list())).toEqual(expected);
        expect(pathsOf(sorted.list('', after, limit))).toEqual(expected.filter((path) => path > after).slice(0, limit));
        for (const namespace of namespaces) {
          const within = expected.filter((path) => path.startsWith(`${namespace}/`));
          expect(pathsOf(sorted.list(namespace))).toEqual(within);
          expect(sorted.countIn(namespace)).toBe(within.length);
          expect(pathsOf(sorted.list(namespace, after, limit))).toEqual(
            within.filter((path) => path > after).slice(0, limit),
          );
        }
        expect(sorted.get(after)).toBe(model.get(after));
      }),
      { numRuns: 60 },
    );
  });

  it('holds many that come in order, and many that do not', () => {
    for (const scattered of [false, true]) {
      const sorted = new SortedObjects();
      const expected: string[] = [];
      for (let at = 0; at < 5_000; at++) {
        const path = `ns/${String(scattered ? (at * 2_741) % 5_000 : at).padStart(5, '0')}`;
        sorted.set(objectOf(path));
        expected.push(path);
      }
      expect(pathsOf(sorted.list())).toEqual(expected.sort());
    }
  });

  it('gives an array that later changes leave alone', () => {
    const sorted = new SortedObjects();
    sorted.set(objectOf('ns/a'));
    const before = sorted.list();
    sorted.set(objectOf('ns/b'));
    sorted.delete('ns/a');
    expect(pathsOf(before)).toEqual(['ns/a']);
  });

  it('is empty where there is nothing', () => {
    const sorted = new SortedObjects();
    expect(sorted.list('ns')).toEqual([]);
    expect(sorted.get('ns/a')).toBeUndefined();
    expect(sorted.countIn('ns')).toBe(0);
    sorted.delete('ns/a');
  });
});
