/** Lines of a container's log: `<time> <stdout|stderr> <F|P> <text>`, where P is a part of a line that goes on. */

interface LogLine {
  /** As written by the runtime: RFC 3339 with nanoseconds. */
  time: string;
  isPartial: boolean;
  text: Buffer;
}

const SPACE = 0x20;

/** Undefined for anything that the runtime can't have written. */
function parseLogLine(line: Buffer): LogLine | undefined {
  const timeEnd = line.indexOf(SPACE);
  const streamEnd = line.indexOf(SPACE, timeEnd + 1);
  if (timeEnd <= 0 || streamEnd < 0) return undefined;
  const tagsEnd = line.indexOf(SPACE, streamEnd + 1);
  const tags = line.toString('latin1', streamEnd + 1, tagsEnd < 0 ? line.length : tagsEnd);
  if (!/^[FP]/.test(tags)) return undefined;
  return {
    time: line.toString('latin1', 0, timeEnd),
    isPartial: tags.startsWith('P'),
    text: tagsEnd < 0 ? Buffer.alloc(0) : line.subarray(tagsEnd + 1),
  };
}

export interface LogSelection {
  /** Lines from then on. */
  sinceMs?: number;
  timestamps: boolean;
  limitBytes?: number;
}

const NEWLINE = Buffer.from('\n');

/** Turns chunks of a log file into what a client asked for. */
export class LogFilter {
  private readonly selection: LogSelection;
  private rest: Buffer = Buffer.alloc(0);
  private bytesLeft: number;
  /** The line goes on where the last one ended, so no new time stands before it. */
  private continues = false;

  constructor(selection: LogSelection) {
    this.selection = selection;
    this.bytesLeft = selection.limitBytes ?? Number.POSITIVE_INFINITY;
  }

  /** The limit is reached: nothing more will come. */
  get isFull(): boolean {
    return this.bytesLeft <= 0;
  }

  push(chunk: Buffer): Buffer {
    const data = this.rest.length > 0 ? Buffer.concat([this.rest, chunk]) : chunk;
    const parts: Buffer[] = [];
    let start = 0;
    for (let end = data.indexOf(10); end >= 0 && !this.isFull; end = data.indexOf(10, start)) {
      this.addLine(data.subarray(start, end), parts);
      start = end + 1;
    }
    this.rest = Buffer.from(data.subarray(start));
    return Buffer.concat(parts);
  }

  private addLine(bytes: Buffer, parts: Buffer[]): void {
    const line = parseLogLine(bytes);
    if (!line) return;
    const { sinceMs, timestamps } = this.selection;
    if (sinceMs !== undefined && Date.parse(line.time) < sinceMs) return;
    if (timestamps && !this.continues) this.add(Buffer.from(`${line.time} `), parts);
    this.add(line.text, parts);
    if (!line.isPartial) this.add(NEWLINE, parts);
    this.continues = line.isPartial;
  }

  private add(bytes: Buffer, parts: Buffer[]): void {
    if (this.isFull) return;
    parts.push(bytes.length > this.bytesLeft ? bytes.subarray(0, this.bytesLeft) : bytes);
    this.bytesLeft -= bytes.length;
  }
}
