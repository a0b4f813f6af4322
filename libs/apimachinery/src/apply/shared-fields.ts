import type { FieldSet } from '../object.ts';
import { decodeFields, encodeFields } from './field-set-code.ts';

/** As many sets are found again by their bytes; the one that came first goes first. */
const SETS_MAX = 4_096;
/** Longer ones are few. */
const CODE_BYTES_MAX = 4_096;

/** What of a set is made once, though many objects have it. */
interface Texts {
  readonly json: string;
  readonly code: Buffer;
}

/** Lives as long as the sets do. */
const texts = new WeakMap<FieldSet, Texts>();
const byCode = new Map<string, FieldSet>();

/** Remembers the texts of a set that many objects will have. Returns the length of its JSON. */
export function share(fields: FieldSet): number {
  const json = JSON.stringify(fields);
  texts.set(fields, { json, code: encodeFields(fields) });
  return json.length;
}

export const jsonOf = (fields: FieldSet): string => texts.get(fields)?.json ?? JSON.stringify(fields);

export const codeOf = (fields: FieldSet): Buffer => texts.get(fields)?.code ?? encodeFields(fields);

/** The set of these bytes: the same one, where it was decoded not long ago. Throws when they are not those of a set. */
export function fieldsOfCode(code: Buffer): FieldSet {
  if (code.length > CODE_BYTES_MAX) return decodeFields(code);
  const key = code.toString('latin1');
  const known = byCode.get(key);
  if (known !== undefined) return known;
  const fields = decodeFields(code);
  share(fields);
  if (byCode.size >= SETS_MAX) byCode.delete(byCode.keys().next().value as string);
  byCode.set(key, fields);
  return fields;
}
