import { beforeEach, expect, it } from 'vitest';
import { type Enquiry, enquiry } from './enquiry.ts';

let nowMs = 0;
let waiting: { question: string; resolve(answer: string): void; reject(error: Error): void }[] = [];
let ask: Enquiry<string, string>;
const settled = () => new Promise(setImmediate);

beforeEach(() => {
  nowMs = 0;
  waiting = [];
  ask = enquiry(
    (question: string) => new Promise((resolve, reject) => waiting.push({ question, resolve, reject })),
    () => nowMs,
  );
});

it('asks once, and tells the answer for a while', async () => {
  expect([ask('a', 'who?'), ask('a', 'who?')]).toEqual([undefined, undefined]);
  expect(waiting.map(({ question }) => question)).toEqual(['who?']);
  waiting[0]!.resolve('me');
  await settled();
  expect([ask('a', 'who?'), ask('a', 'who?')]).toEqual(['me', 'me']);
  nowMs = 10_000;
  expect(ask('a', 'who?')).toBeUndefined();
  expect(waiting).toHaveLength(2);
});

it('throws what the answer failed with once, and asks again then', async () => {
  ask('a', 'who?');
  waiting[0]!.reject(new Error('nobody there'));
  await settled();
  expect(() => ask('a', 'who?')).toThrow('nobody there');
  expect(ask('a', 'who?')).toBeUndefined();
  expect(waiting).toHaveLength(2);
});

it('asks so many questions at once, and the others later', async () => {
  for (let i = 0; i < 20; i++) ask(`${i}`, `${i}?`);
  expect(waiting).toHaveLength(16);
  waiting[0]!.resolve('yes');
  await settled();
  for (let i = 1; i < 20; i++) ask(`${i}`, `${i}?`);
  expect(waiting).toHaveLength(17);
});
