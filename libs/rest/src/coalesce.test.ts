import { Writable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CoalescingWriter } from './coalesce.ts';

/** Keeps what it gets, in as many turns as it likes. */
function sink() {
  const chunks: Buffer[] = [];
  const writable = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      setImmediate(done);
    },
  });
  const ended = new Promise<Buffer>((resolve) => writable.on('finish', () => resolve(Buffer.concat(chunks))));
  return { writable, chunks, ended };
}

describe('CoalescingWriter', () => {
  it('writes exactly what it was given, in order, however large the pieces are', async () => {
    const piece = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 50 }),
      fc.integer({ min: 0, max: 300_000 }).map((length) => Buffer.alloc(length, length % 251)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        const { writable, ended } = sink();
        const writer = new CoalescingWriter(() => writable);
        for (const one of pieces) {
          if (typeof one === 'string') writer.addText(one);
          else writer.add(one);
          if (writer.full) await writer.room();
        }
        writer.end();
        const expected = Buffer.concat(pieces.map((one) => Buffer.from(one)));
        expect((await ended).equals(expected)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('tells the size when everything fits into one write', async () => {
    const { writable, ended } = sink();
    const sizes: (number | undefined)[] = [];
    const writer = new CoalescingWriter((whole) => {
      sizes.push(whole);
      return writable;
    });
    writer.addText('{"a":');
    writer.add(Buffer.from('1}'));
    writer.end();
    await ended;
    expect(sizes).toEqual([7]);
  });

  it('makes few large writes of many small pieces, and never runs far ahead of a slow client', async () => {
    const { writable, chunks, ended } = sink();
    const writer = new CoalescingWriter(() => writable);
    let most = 0;
    for (let i = 0; i < 10_000; i++) {
      writer.add(Buffer.alloc(200, 1));
      most = Math.max(most, writable.writableLength);
      if (writer.full) await writer.room();
    }
    writer.end();
    await ended;
    expect(chunks.length).toBeLessThan(20);
    expect(most).toBeLessThanOrEqual(512 * 1024);
  });

  it('does not wait for a client that is gone', async () => {
    const writable = new Writable({ write: () => undefined });
    const writer = new CoalescingWriter(() => writable);
    while (!writer.full) writer.add(Buffer.alloc(10_000));
    const room = writer.room();
    writable.destroy();
    await room;
  });
});
