const FIRST_BYTES = 64 * 1024;
const VARINT_BYTES_MAX = 5;

/** Writes protobuf's wire format into one buffer that grows. https://protobuf.dev/programming-guides/encoding/ */
export class WireWriter {
  private bytes = Buffer.allocUnsafe(FIRST_BYTES);
  private at = 0;

  /** Text, unless it is empty or absent: that is what a missing field means. */
  text(field: number, value: string | undefined): void {
    if (value) this.item(field, value);
  }

  /** Text that an item of a list is, which may be empty. */
  item(field: number, value: string): void {
    const length = Buffer.byteLength(value);
    this.tag(field, 2);
    this.varint(length);
    this.reserve(length);
    this.at += this.bytes.write(value, this.at);
  }

  truth(field: number, value: boolean | undefined): void {
    if (!value) return;
    this.tag(field, 0);
    this.varint(1);
  }

  /** A message whose fields `write` writes. Its length, known only then, is put before it. */
  message(field: number, write: () => void): void {
    this.tag(field, 2);
    const start = this.at;
    write();
    const length = this.at - start;
    const size = varintSize(length);
    this.reserve(size);
    this.bytes.copyWithin(start + size, start, this.at);
    this.at = start;
    this.varint(length);
    this.at += length;
  }

  /** What was written. The writer is spent. */
  end(): Buffer {
    return this.bytes.subarray(0, this.at);
  }

  private tag(field: number, wireType: number): void {
    this.varint(field * 8 + wireType);
  }

  private varint(value: number): void {
    this.reserve(VARINT_BYTES_MAX);
    let left = value;
    for (; left >= 0x80; left >>>= 7) this.bytes[this.at++] = (left & 0x7f) | 0x80;
    this.bytes[this.at++] = left;
  }

  private reserve(more: number): void {
    if (this.at + more <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.at + more));
    this.bytes.copy(larger, 0, 0, this.at);
    this.bytes = larger;
  }
}

function varintSize(value: number): number {
  let size = 1;
  for (let left = value; left >= 0x80; left >>>= 7) size += 1;
  return size;
}
