import { expect, test } from 'vitest';
import { Outbox } from './outbox.ts';

const MIB = 1 << 20;

/** An outbox whose reader takes a message when told to. */
function slowReader() {
  const handed: Buffer[] = [];
  const written: (() => void)[] = [];
  const told: string[] = [];
  const outbox = new Outbox({
    write(message, done) {
      handed.push(message);
      written.push(done);
    },
    full: () => void told.push('full'),
    drained: () => void told.push('drained'),
  });
  return { outbox, handed, told, read: () => written.shift()?.() };
}

test('messages go out one at a time, in order', () => {
  const { outbox, handed, read, told } = slowReader();
  for (const text of ['a', 'b', 'c']) outbox.send(Buffer.from(text));
  expect(handed.join()).toBe('a');
  read();
  read();
  expect(handed.join()).toBe('a,b,c');
  read();
  outbox.send(Buffer.from('d'));
  expect(handed.join()).toBe('a,b,c,d');
  expect(told).toEqual([]);
});

test('a reader who falls behind is said to be full once, and drained when little is left', () => {
  const { outbox, handed, read, told } = slowReader();
  for (let at = 0; at < 5; at++) outbox.send(Buffer.alloc(MIB));
  expect(told).toEqual([]);
  for (let at = 0; at < 3; at++) outbox.send(Buffer.alloc(MIB));
  expect(told).toEqual(['full']);
  for (let at = 0; at < 5; at++) read();
  expect(told).toEqual(['full']);
  read();
  expect(told).toEqual(['full', 'drained']);
  for (let at = 0; at < 5; at++) read();
  expect(handed).toHaveLength(8);
  expect(told).toEqual(['full', 'drained']);
});
