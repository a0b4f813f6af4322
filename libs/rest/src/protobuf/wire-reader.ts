/** What is not protobuf. The message says why, in the words of Go's decoder. */
export class WireError extends Error {}

const unexpectedEnd = (): WireError => new WireError('unexpected EOF');

/** Reads protobuf's wire format. https://protobuf.dev/programming-guides/encoding/ */
export class WireReader {
  private readonly bytes: Buffer;
  private at: number;
  private readonly end: number;
  /** Of the field that `next` has found. */
  field = 0;
  wireType = 0;

  constructor(bytes: Buffer, from = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = from;
    this.end = end;
  }

  get ended(): boolean {
    return this.at >= this.end;
  }

  /** Moves to the next field; false at the end. Each must be read or skipped. */
  next(): boolean {
    if (this.at >= this.end) return false;
    const tag = this.varint();
    this.field = Math.floor(tag / 8);
    this.wireType = tag % 8;
    if (this.field === 0) throw new WireError('illegal tag 0');
    return true;
  }

  /** Signed 64 bits, exact up to 2^53. */
  varint(): number {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= this.end) throw unexpectedEnd();
      const byte = this.bytes[this.at++]!;
      const bits = byte & 0x7f;
      if (shift < 28) low += bits * 2 ** shift;
      else high += bits * 2 ** (shift - 28);
      if (byte < 0x80) return toSigned(low, high);
    }
    throw new WireError('integer overflow');
  }

  double(): number {
    this.take(8);
    return this.bytes.readDoubleLE(this.at - 8);
  }

  string(): string {
    const length = this.length();
    this.take(length);
    return this.bytes.toString('utf8', this.at - length, this.at);
  }

  slice(): Buffer {
    const length = this.length();
    this.take(length);
    return this.bytes.subarray(this.at - length, this.at);
  }

  /** A reader of the message that this field is. */
  message(): WireReader {
    const length = this.length();
    this.take(length);
    return new WireReader(this.bytes, this.at - length, this.at);
  }

  skip(): void {
    if (this.wireType === 0) this.varint();
    else if (this.wireType === 1) this.take(8);
    else if (this.wireType === 2) this.take(this.length());
    else if (this.wireType === 5) this.take(4);
    else throw new WireError(`illegal wireType ${this.wireType}`);
  }

  private length(): number {
    if (this.wireType !== 2) throw new WireError(`wrong wireType = ${this.wireType} for field ${this.field}`);
    const length = this.varint();
    if (length < 0) throw new WireError('negative length found during unmarshaling');
    return length;
  }

  private take(length: number): void {
    if (length > this.end - this.at) throw unexpectedEnd();
    this.at += length;
  }
}

/** `high` counts units of 2^28. */
function toSigned(low: number, high: number): number {
  const value = low + high * 2 ** 28;
  if (high < 2 ** 35) return value;
  // Two's complement: take it from 2^64 in parts, so that no digit is lost.
  return -(2 ** 28 - low + (2 ** 36 - high - 1) * 2 ** 28);
}
