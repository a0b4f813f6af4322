import { expect, test } from 'vitest';
import { Outbox } from './outbox.ts';

const MIB = 1 << 20;

/** An outbox whose reader takes a message when told to. */
function slowReader() {
  const handed: Buffer[] = [];
  const written: (() => void)[] = [];
  let overflows = 0;
  const outbox = new Outbox(
    (message, done) => {
      handed.push(message);
      written.push(done);
    },
    () => overflows++,
  );
  return { outbox, handed, read: () => written.shift()?.(), overflows: () => overflows };
}

test('messages go out one at a time, in order', () => {
  const { outbox, handed, read } = slowReader();
  for (const text of ['a', 'b', 'c']) outbox.send(Buffer.from(text));
  expect(handed.join()).toBe('a');
  read();
  read();
  expect(handed.join()).toBe('a,b,c');
  read();
  outbox.send(Buffer.from('d'));
  expect(handed.join()).toBe('a,b,c,d');
});

test('a reader who falls too far behind loses what waits, once', () => {
  const { outbox, handed, read, overflows } = slowReader();
  for (let at = 0; at < 17; at++) outbox.send(Buffer.alloc(MIB));
  expect(overflows()).toBe(0);
  outbox.send(Buffer.alloc(MIB));
  expect(overflows()).toBe(1);
  read();
  expect(handed).toHaveLength(1);
});
