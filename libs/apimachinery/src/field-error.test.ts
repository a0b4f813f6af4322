import { expect, test } from 'vitest';
import { at, FieldPath } from './field-error.ts';

test('a path reads like the field in YAML', () => {
  expect(at('spec').index('containers', 0).child('ports').item(2).child('name').text).toBe(
    'spec.containers[0].ports[2].name',
  );
  expect(at('metadata').key('labels', 'a.b/c').text).toBe('metadata.labels[a.b/c]');
  expect(new FieldPath().child('a', 'b').text).toBe('a.b');
  expect(at().required().field).toBe('<nil>');
});

test('messages are worded as in Kubernetes', () => {
  const path = at('x');
  expect([
    path.required().message,
    path.required('really').message,
    path.invalid('a"b', 'no').message,
    path.invalid(['a'], 'no').message,
    path.invalid(undefined, 'no').message,
    path.notSupported('c', ['a', 'b']).message,
    path.forbidden('no').message,
    path.duplicate('a').message,
    path.tooLong(3).message,
    path.tooMany(3, 2).message,
    path.notFound('a').message,
    path.typeInvalid(1, 'no').message,
  ]).toEqual([
    'Required value',
    'Required value: really',
    'Invalid value: "a\\"b": no',
    'Invalid value: ["a"]: no',
    'Invalid value: null: no',
    'Unsupported value: "c": supported values: "a", "b"',
    'Forbidden: no',
    'Duplicate value: "a"',
    'Too long: may not be more than 3 bytes',
    'Too many: 3: must have at most 2 items',
    'Not found: "a"',
    'Invalid value: 1: no',
  ]);
});
