import { WireWriter } from '../protobuf/wire-writer.ts';

const VARINT = 0;
const DOUBLE = 1;
const LENGTH_DELIMITED = 2;

/** Puts fields of messages in front of what has been written: lists are written from their end to their start. */
export class Fields {
  private readonly out = new WireWriter();

  /** Nothing for an empty or absent text: that is what a missing field means. */
  text(field: number, value: string | undefined): void {
    if (value) this.message(field, () => this.out.text(value));
  }

  texts(field: number, values: readonly string[] = []): void {
    for (const value of values.toReversed()) this.message(field, () => this.out.text(value));
  }

  truth(field: number, value: boolean | undefined): void {
    if (!value) return;
    this.out.varint(1);
    this.out.tag(field, VARINT);
  }

  /** One of three fields in a row: number, truth, text. Which one it is says something, so that 0 and '' are written. */
  scalar(field: number, value: number | boolean | string): void {
    if (typeof value === 'number') {
      this.out.double(value);
      this.out.tag(field, DOUBLE);
    } else if (typeof value === 'boolean') {
      this.out.varint(Number(value));
      this.out.tag(field + 1, VARINT);
    } else this.message(field + 2, () => this.out.text(value));
  }

  message(field: number, write: () => void): void {
    const start = this.out.length;
    write();
    this.out.lengthSince(start);
    this.out.tag(field, LENGTH_DELIMITED);
  }

  messages<T>(field: number, all: readonly T[], write: (one: T) => void): void {
    for (const one of all.toReversed()) this.message(field, () => write(one));
  }

  /** A member of a map. */
  named(field: number, name: string, writeValue: () => void): void {
    this.message(field, () => {
      this.message(2, writeValue);
      this.text(1, name);
    });
  }

  map<T>(field: number, map: Readonly<Record<string, T>>, write: (value: T) => void): void {
    for (const [name, value] of Object.entries(map).toReversed()) this.named(field, name, () => write(value));
  }

  /** Members of `of` that the specification does not know, each as a named value of any type. */
  extensions(field: number, of: object): void {
    const extensions = Object.entries(of).filter(([name]) => name.startsWith('x-'));
    this.map(field, Object.fromEntries(extensions), (value) => this.any(value));
  }

  /** The content of a value of any type: YAML, of which JSON is a part. */
  any(value: unknown): void {
    this.text(2, JSON.stringify(value));
  }

  finish(): Buffer {
    return this.out.finish();
  }
}
