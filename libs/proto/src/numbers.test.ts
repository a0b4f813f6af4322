import { expect, test } from 'vitest';
import { storeProto } from './index.ts';

const { Provenance } = storeProto.store.v1;

test('a 64-bit field is read as a number', () => {
  const bytes = Provenance.encode({ timeMs: 1_795_000_000_000 }).finish();
  expect(Provenance.decode(bytes).timeMs).toBe(1_795_000_000_000);
  expect(Provenance.decode(new Uint8Array()).timeMs).toBe(0);
});

test('a field of a newer contract is dropped', () => {
  const bytes = Buffer.from([0xf8, 0x07, 0x01]); // field 127, varint
  expect(Object.keys(Provenance.decode(bytes))).toEqual([]);
});
