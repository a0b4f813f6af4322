import type { WatchChunk } from '../types.ts';

/** Encoded events, joined when somebody wants them as one. */
export class Chunk implements WatchChunk {
  readonly frames: readonly Buffer[];
  private joined: Buffer | undefined;

  constructor(frames: readonly Buffer[]) {
    this.frames = frames;
  }

  get bytes(): Buffer {
    this.joined ??= this.frames.length === 1 ? this.frames[0]! : Buffer.concat(this.frames);
    return this.joined;
  }
}
