import { expect, test } from 'vitest';
import { generatedName } from './generated-name.ts';
import { dns1123Label } from './names.ts';

test('a name is generated from its base and random bytes', () => {
  expect(generatedName('web-', new Uint8Array([0, 1, 26, 27, 255]))).toBe('web-bc9bq');
});

test('a long base is cut so that the name is a label', () => {
  const name = generatedName('a'.repeat(100), new Uint8Array(5));
  expect(name).toHaveLength(63);
  expect(dns1123Label(name)).toEqual([]);
});
