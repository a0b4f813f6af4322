import type { ManagedFieldsEntry } from '../object.ts';
import { codeOf, fieldsOfCode } from './shared-fields.ts';

/** In front of each of the two parts of an entry. */
const LENGTH_BYTES = 4;

/** Who manages what as it is stored: of each entry its JSON without the fields, and their code. */
export function encodeManagers(entries: readonly ManagedFieldsEntry[]): Buffer {
  const parts = entries.map(({ fieldsV1, ...rest }) => ({ rest: JSON.stringify(rest), fields: codeOf(fieldsV1) }));
  const lengthOf = ({ rest, fields }: (typeof parts)[number]): number =>
    2 * LENGTH_BYTES + Buffer.byteLength(rest) + fields.length;
  const code = Buffer.allocUnsafe(parts.reduce((length, part) => length + lengthOf(part), 0));
  let at = 0;
  for (const { rest, fields } of parts) {
    const length = code.write(rest, at + LENGTH_BYTES);
    at = code.writeUInt32LE(length, at) + length;
    at = code.writeUInt32LE(fields.length, at);
    at += fields.copy(code, at);
  }
  return code;
}

/** Throws when the bytes are not those of `encodeManagers`. */
export function decodeManagers(code: Buffer): ManagedFieldsEntry[] {
  const entries: ManagedFieldsEntry[] = [];
  let at = 0;
  const part = (): Buffer => {
    const start = at + LENGTH_BYTES;
    at = start + code.readUInt32LE(at);
    if (at > code.length) throw new Error('who manages an object ends within an entry');
    return code.subarray(start, at);
  };
  while (at < code.length) {
    const rest = JSON.parse(part().toString()) as Omit<ManagedFieldsEntry, 'fieldsV1'>;
    entries.push({ ...rest, fieldsV1: fieldsOfCode(part()) });
  }
  return entries;
}
