import type { FieldSet } from '../object.ts';
import { decodeFields, encodeFields } from './field-set-code.ts';

/** Sets are found again by their code, as long as these codes take no more; the one that came first goes first. */
const KEPT_BYTES_MAX = 2 << 20;
/** What keeping a set takes beside its code counts as much. */
const OVERHEAD_BYTES = 128;
/** Longer ones are few, and who sends them chooses what is in them. */
const CODE_BYTES_MAX = 4_096;

/** What of a set is made once, though many objects have it. */
interface Texts {
  readonly json: string;
  readonly code: Buffer;
}

/** Lives as long as the sets do. */
const texts = new WeakMap<FieldSet, Texts>();
const byCode = new Map<string, FieldSet>();
let keptBytes = 0;

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
  byCode.set(key, fields);
  keptBytes += key.length + OVERHEAD_BYTES;
  for (const oldest of byCode.keys()) {
    if (keptBytes <= KEPT_BYTES_MAX) break;
    byCode.delete(oldest);
    keptBytes -= oldest.length + OVERHEAD_BYTES;
  }
  return fields;
}
