const START_BYTES = 16 * 1024;
/** A buffer that grew beyond this for one large object is not kept. */
const KEPT_BYTES_MAX = 1024 * 1024;
/** Up to this length a loop is quicker than asking Node for the length of a text and then to write it. */
const SHORT_CHARS_MAX = 40;

/**
 * Writes protobuf's wire format from the end to the start: the length of a message is known when its fields have been
 * written, and no size is counted in advance. What comes last in the message is therefore written first, and of a
 * field its value before its tag.
 */
export class WireWriter {
  private bytes = Buffer.allocUnsafeSlow(START_BYTES);
  private at = START_BYTES;

  /** How much has been written. */
  get length(): number {
    return this.bytes.length - this.at;
  }

  clear(): void {
    this.at = this.bytes.length;
  }

  /** What has been written, in a buffer of its own; then the writer is empty again. */
  finish(): Buffer {
    const whole = Buffer.from(this.bytes.subarray(this.at));
    if (this.bytes.length > KEPT_BYTES_MAX) this.bytes = Buffer.allocUnsafeSlow(START_BYTES);
    this.at = this.bytes.length;
    return whole;
  }

  tag(field: number, wireType: 0 | 1 | 2): void {
    this.varint(field * 8 + wireType);
  }

  /** Of the field whose value has been written since the writer had `start`. */
  lengthSince(start: number): void {
    this.varint(this.length - start);
  }

  /** Signed 64 bits, exact up to 2^53. */
  varint(value: number): void {
    if (value >= 0 && value < 0x80) {
      this.room(1);
      this.bytes[--this.at] = value;
      return;
    }
    this.room(10);
    let length = 0;
    // Two's complement in two halves of 32 bits.
    let low = value >>> 0;
    let high = Math.floor(value / 2 ** 32) >>> 0;
    const written = SEVEN_BITS;
    for (;;) {
      const bits = low & 0x7f;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
      if (low === 0 && high === 0) {
        written[length++] = bits;
        break;
      }
      written[length++] = bits | 0x80;
    }
    for (let i = length - 1; i >= 0; i--) this.bytes[--this.at] = written[i]!;
  }

  double(value: number): void {
    this.room(8);
    this.at -= 8;
    this.bytes.writeDoubleLE(value, this.at);
  }

  raw(bytes: Uint8Array): void {
    this.room(bytes.length);
    this.at -= bytes.length;
    this.bytes.set(bytes, this.at);
  }

  text(text: string): void {
    if (text.length <= SHORT_CHARS_MAX && this.ascii(text)) return;
    const length = Buffer.byteLength(text);
    this.room(length);
    this.at -= length;
    this.bytes.write(text, this.at);
  }

  private ascii(text: string): boolean {
    const { length } = text;
    this.room(length);
    const { bytes } = this;
    const from = this.at - length;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return false;
      bytes[from + i] = code;
    }
    this.at = from;
    return true;
  }

  private room(length: number): void {
    if (this.at >= length) return;
    const used = this.length;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.bytes.length, used + length));
    this.bytes.copy(larger, larger.length - used, this.at);
    this.at = larger.length - used;
    this.bytes = larger;
  }
}

const SEVEN_BITS = new Uint8Array(10);
