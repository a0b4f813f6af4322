import { managersJson } from '@periplus/apimachinery';

const COMMA = 0x2c;
const NOTHING = new Uint8Array(0);

/** An object as JSON that misses its resourceVersion. */
export interface Unversioned {
  /** Without the sealed members. */
  json: Buffer;
  /** Where in `json` the resourceVersion belongs: just behind `"metadata":{`. */
  versionAt: number;
  /** `{"data":{...}}`; null when nothing is confidential. */
  confidential: Buffer | null;
  /** `"annotations":{...},` of the metadata; null when nothing is confidential. */
  confidentialMetadata: Buffer | null;
}

/** What `encodeManagers` made, as a member of the metadata: `"managedFields":[...],`, or nothing. */
export const managersMember = (code: Buffer): string =>
  code.length === 0 ? '' : `"managedFields":${managersJson(code)},`;

const memberOf = (version: string): string => `"resourceVersion":"${version}",`;

interface VersionOptions {
  /** Where the memory comes from: Node's pool for what is soon gone, of its own for what stays. */
  allocate: (size: number) => Buffer;
  /** What `managersMember` makes; stands right behind the version. */
  managers?: string;
  /** Put behind the end of the object, in the same memory but not in the returned buffer. */
  trailer?: Uint8Array;
}

/** The object as clients get it, in one copy. */
export function withVersion(
  { json, versionAt, confidential, confidentialMetadata }: Unversioned,
  version: string,
  { allocate, managers = '', trailer = NOTHING }: VersionOptions,
): Buffer {
  const members = memberOf(version) + managers;
  const membersLength = managers === '' ? members.length : Buffer.byteLength(members);
  const restAt = versionAt + membersLength + (confidentialMetadata?.length ?? 0);
  const openLength = restAt + json.length - versionAt;
  const length = confidential === null ? openLength : openLength + confidential.length - 1;
  const bytes = allocate(length + trailer.length);
  json.copy(bytes, 0, 0, versionAt);
  bytes.write(members, versionAt);
  confidentialMetadata?.copy(bytes, versionAt + membersLength);
  json.copy(bytes, restAt, versionAt);
  if (confidential !== null) {
    // `...}` and `{"data":...}` become `...,"data":...}`.
    confidential.copy(bytes, openLength - 1);
    bytes[openLength - 1] = COMMA;
  }
  bytes.set(trailer, length);
  return bytes.subarray(0, length);
}

/** Where the members behind the version begin. */
export const behindVersion = (versionAt: number, version: string): number => versionAt + memberOf(version).length;

/** Takes the version out again. */
export const withoutVersion = (bytes: Buffer, versionAt: number, version: string): Buffer =>
  Buffer.concat([bytes.subarray(0, versionAt), bytes.subarray(versionAt + memberOf(version).length)]);
