import type { FieldSet } from '../object.ts';
import { isEmpty } from './field-set.ts';
import { KNOWN_ELEMENTS } from './known-elements.ts';

/*
 * A set of fields in about a third of the bytes that its JSON takes. Each element is a varint: END closes its parent, LITERAL
 * and LITERAL_PARENT are followed by the element's text and its length, everything else is a place in KNOWN_ELEMENTS
 * times two, plus one for a parent, plus KNOWN. The elements below a parent follow it, up to its END.
 */
const END = 0;
const LITERAL = 1;
const LITERAL_PARENT = 2;
const KNOWN = 3;

const PLACES = new Map(KNOWN_ELEMENTS.flatMap((element, place) => (element === undefined ? [] : [[element, place]])));

/** The longest varint that is written: 28 bits. */
const VARINT_BYTES_MAX = 4;

/** Where sets are written before their length is known. Grows to what the largest took; the API limits bodies. */
let scratch = Buffer.allocUnsafe(4096);
let end = 0;

/** Of the same set always the same bytes. */
export function encodeFields(fields: FieldSet): Buffer {
  end = 0;
  writeMembers(fields);
  return Buffer.from(scratch.subarray(0, end));
}

function writeMembers(fields: FieldSet): void {
  for (const element in fields) {
    const members = fields[element] as FieldSet;
    const isParent = !isEmpty(members);
    const place = PLACES.get(element);
    if (place === undefined) writeLiteral(isParent ? LITERAL_PARENT : LITERAL, element);
    else writeVarint(KNOWN + 2 * place + (isParent ? 1 : 0));
    if (isParent) {
      writeMembers(members);
      writeVarint(END);
    }
  }
}

function writeLiteral(tag: number, element: string): void {
  const length = Buffer.byteLength(element);
  writeVarint(tag);
  writeVarint(length);
  reserve(length);
  end += scratch.write(element, end);
}

function writeVarint(value: number): void {
  reserve(VARINT_BYTES_MAX);
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) scratch[end++] = (rest & 0x7f) | 0x80;
  scratch[end++] = rest;
}

function reserve(bytes: number): void {
  if (end + bytes <= scratch.length) return;
  const larger = Buffer.allocUnsafe(2 * (end + bytes));
  scratch.copy(larger, 0, 0, end);
  scratch = larger;
}

/** Throws when the bytes are not those of a set, or name an element that is not known. */
export const decodeFields = (code: Uint8Array): FieldSet => wholeOf(code, (reader) => reader.members());

/** The set as JSON, without making the set: that takes several times as long. Throws as `decodeFields` does. */
export const fieldsJson = (code: Uint8Array): string => wholeOf(code, (reader) => reader.json([]).join(''));

function wholeOf<T>(code: Uint8Array, read: (reader: Reader) => T): T {
  const reader = new Reader(code);
  const whole = read(reader);
  if (!reader.isAtEnd) throw new Error('bytes behind a set of fields');
  return whole;
}

const isParent = (tag: number): boolean => (tag < KNOWN ? tag === LITERAL_PARENT : (tag - KNOWN) % 2 === 1);

class Reader {
  readonly #code: Buffer;
  #at = 0;

  constructor(code: Uint8Array) {
    this.#code = Buffer.from(code.buffer, code.byteOffset, code.length);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#code.length;
  }

  /** Up to the END of their parent, or that of the bytes. */
  members(): FieldSet {
    const members: Record<string, FieldSet> = {};
    for (let tag = this.#tag(); tag !== END; tag = this.#tag()) {
      const element = this.#element(tag);
      members[element] = isParent(tag) ? this.members() : {};
    }
    return members;
  }

  /** The same members as JSON, behind what is there. */
  json(pieces: string[]): string[] {
    pieces.push('{');
    let separator = '';
    for (let tag = this.#tag(); tag !== END; tag = this.#tag()) {
      pieces.push(separator, JSON.stringify(this.#element(tag)), ':');
      separator = ',';
      if (isParent(tag)) this.json(pieces);
      else pieces.push('{}');
    }
    pieces.push('}');
    return pieces;
  }

  #tag(): number {
    return this.isAtEnd ? END : this.#varint();
  }

  #element(tag: number): string {
    const element = tag < KNOWN ? this.#text() : KNOWN_ELEMENTS[(tag - KNOWN) >>> 1];
    if (element === undefined) throw new Error(`no element ${tag} of a set of fields is known`);
    return element;
  }

  #text(): string {
    const length = this.#varint();
    if (this.#at + length > this.#code.length) throw new Error('a set of fields ends within an element');
    this.#at += length;
    return this.#code.toString('utf8', this.#at - length, this.#at);
  }

  #varint(): number {
    let value = 0;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const byte = this.#code[this.#at++];
      if (byte === undefined) throw new Error('a set of fields ends within a number');
      value |= (byte & 0x7f) << (7 * i);
      if (byte < 0x80) return value;
    }
    throw new Error('a number of a set of fields is too large');
  }
}
