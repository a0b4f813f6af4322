import type { Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';

/** Few large writes cost less than many small ones; larger than this gains nothing and holds memory. */
const CHUNK_BYTES = 128 * 1024;
/** Written without looking whether the client keeps up, and without letting other requests have their turn. */
const AT_A_TIME_BYTES = 2 * CHUNK_BYTES;
/** Chunks kept for the next list: 4 MiB. Making them anew costs more than filling them. */
const SPARE_CHUNKS_MAX = 32;

const spare: Buffer[] = [];
const takeChunk = (): Buffer => spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
const giveBack = (chunk: Buffer): void => {
  if (spare.length < SPARE_CHUNKS_MAX) spare.push(chunk);
};

/**
 * Joins small pieces into chunks of 128 KiB and writes those, at most two ahead of the client. Copies a piece at
 * once and keeps nothing of it.
 */
export class CoalescingWriter {
  private readonly open: (whole: number | undefined) => Writable;
  private sink: Writable | null = null;
  private chunk = takeChunk();
  private used = 0;
  private sinceRoom = 0;

  /** `open` is called with the first write; it is told the size when that write is also the last. */
  constructor(open: (whole: number | undefined) => Writable) {
    this.open = open;
  }

  /** Whether `room` must be awaited before the next piece. */
  get full(): boolean {
    return this.sinceRoom >= AT_A_TIME_BYTES;
  }

  add(piece: Buffer): void {
    let from = 0;
    while (piece.length - from > CHUNK_BYTES - this.used) {
      const fits = CHUNK_BYTES - this.used;
      piece.copy(this.chunk, this.used, from, from + fits);
      this.used += fits;
      from += fits;
      this.flush();
    }
    if (from < piece.length) this.used += piece.copy(this.chunk, this.used, from);
  }

  addText(piece: string): void {
    // At most three bytes for each UTF-16 unit.
    if (piece.length * 3 <= CHUNK_BYTES - this.used) this.used += this.chunk.write(piece, this.used);
    else this.add(Buffer.from(piece));
  }

  /** Resolves when the client has taken most of it, or will not take any more; others have had their turn then. */
  async room(): Promise<void> {
    this.sinceRoom = 0;
    await setImmediate();
    const { sink } = this;
    if (!sink || sink.destroyed || sink.writableLength < CHUNK_BYTES) return;
    await new Promise<void>((resolve) => {
      const settle = () => {
        sink.off('drain', settle).off('close', settle);
        resolve();
      };
      sink.on('drain', settle).on('close', settle);
    });
  }

  /** Writes what is left and ends the sink. */
  end(): void {
    this.sink ??= this.open(this.used);
    const { chunk, used, sink } = this;
    sink.end(chunk.subarray(0, used), () => giveBack(chunk));
  }

  private flush(): void {
    this.sink ??= this.open(undefined);
    const { chunk } = this;
    this.sink.write(chunk, () => giveBack(chunk));
    this.sinceRoom += CHUNK_BYTES;
    this.chunk = takeChunk();
    this.used = 0;
  }
}
