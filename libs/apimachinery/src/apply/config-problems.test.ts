import { expect, it } from 'vitest';
import type { JsonObject } from '../object.ts';
import { thing } from '../schema.fixture.ts';
import { configProblems, problemText } from './config-problems.ts';

it.each<[string, JsonObject, string]>([
  ['an unknown field', { spec: { replica: 1 } }, '.spec.replica: field not declared in schema'],
  [
    'an unknown field of an item',
    { spec: { containers: [{ name: 'main', imag: 'x' }], tolerations: [{ kay: 'x' }] } },
    [
      'errors:',
      '  .spec.containers[name="main"].imag: field not declared in schema',
      '  .spec.tolerations[0].kay: field not declared in schema',
    ].join('\n'),
  ],
  [
    'two items with one key',
    { spec: { containers: [{ name: 'main' }, { name: 'main' }] } },
    '.spec.containers: duplicate entries for key [name="main"]',
  ],
  [
    'a set that has a value twice',
    { metadata: { finalizers: ['a', 'a'] } },
    '.metadata.finalizers: duplicate entries for key [="a"]',
  ],
  [
    'an item without its key',
    { spec: { containers: [{ image: 'x' }] } },
    '.spec.containers: element 0: associative list with keys has an element that omits key field "name" (and doesn\'t have default value)',
  ],
  [
    'an item that is null',
    { spec: { containers: [null] } },
    '.spec.containers: element 0: associative list with keys may not have a null element',
  ],
  [
    'a value of a set that is null',
    { metadata: { finalizers: ['a', null] } },
    ".metadata.finalizers: element 1: associative list without keys has an element that's an explicit null",
  ],
  [
    'a value of a set that is no text, and would not become one',
    { metadata: { finalizers: [{ toString: [] }, { toString: [] }] } },
    '.metadata.finalizers: duplicate entries for key [={"toString":[]}]',
  ],
])('says what is wrong with %s', (_, config, text) => {
  expect(problemText(configProblems(config, thing))).toBe(text);
});

it('finds nothing wrong with what is right', () => {
  const ports: JsonObject[] = [{ containerPort: 53, protocol: 'UDP' }, { containerPort: 53 }];
  expect(configProblems({ spec: { containers: [{ name: 'main', ports }], raw: { any: 1 } } }, thing)).toEqual([]);
});
