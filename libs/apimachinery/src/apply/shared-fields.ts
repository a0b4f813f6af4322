import type { FieldSet } from '../object.ts';
import { decodeFields, encodeFields, fieldsJson } from './field-set-code.ts';

/** Sets are found again by their code, as long as these codes take no more; the one that came first goes first. */
const KEPT_BYTES_MAX = 2 << 20;
/** What keeping a set takes beside its code counts as much. */
const OVERHEAD_BYTES = 128;
/** Longer ones are few, and who sends them chooses what is in them. */
const CODE_BYTES_MAX = 4_096;

/** What is made once of a set that many objects have, or that is looked at again and again. */
interface Shared {
  readonly json: string;
  /** Made when a write asks who owns what. */
  fields: FieldSet | null;
}

const byCode = new Map<string, Shared>();
let keptBytes = 0;
/** Of sets that many objects will have. Lives as long as they do. */
const codes = new WeakMap<FieldSet, Buffer>();

/** Remembers the code of a set that many objects will have. Returns the length of the set's JSON. */
export function share(fields: FieldSet): number {
  const code = encodeFields(fields);
  codes.set(fields, code);
  return fieldsJson(code).length;
}

export const codeOf = (fields: FieldSet): Buffer => codes.get(fields) ?? encodeFields(fields);

/** The set of these bytes: the same one, where it was decoded not long ago. Throws when they are not those of a set. */
export function fieldsOfCode(code: Buffer): FieldSet {
  if (code.length > CODE_BYTES_MAX) return decodeFields(code);
  const shared = sharedOf(code);
  if (shared.fields === null) {
    shared.fields = decodeFields(code);
    codes.set(shared.fields, Buffer.from(code));
  }
  return shared.fields;
}

/** The set of these bytes as JSON. Throws when they are not those of a set. */
export const jsonOfCode = (code: Buffer): string =>
  code.length > CODE_BYTES_MAX ? fieldsJson(code) : sharedOf(code).json;

function sharedOf(code: Buffer): Shared {
  const key = code.toString('latin1');
  const known = byCode.get(key);
  if (known !== undefined) return known;
  const shared = { json: fieldsJson(code), fields: null };
  byCode.set(key, shared);
  keptBytes += key.length + OVERHEAD_BYTES;
  for (const oldest of byCode.keys()) {
    if (keptBytes <= KEPT_BYTES_MAX) break;
    byCode.delete(oldest);
    keptBytes -= oldest.length + OVERHEAD_BYTES;
  }
  return shared;
}
