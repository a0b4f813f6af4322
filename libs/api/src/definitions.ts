import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';

/** An OpenAPI v3 schema, as it is published. */
export interface Definition {
  /** `io.k8s.api.apps.v1.Deployment`. */
  name: string;
  /** The schema as JSON. What it refers to is `#/components/schemas/<name>`. */
  json: Buffer;
}

/** What is published about the types that kinds are made of. */
export interface Definitions {
  /** By `apps/v1.Deployment`, `v1.PodSpec`, `meta/v1.Status`. */
  byId: ReadonlyMap<string, Definition>;
  byName: ReadonlyMap<string, Definition>;
}

const decompress = promisify(brotliDecompress);
const TAB = 0x09;
const LINE_END = 0x0a;

let unpacked: Promise<Definitions> | null = null;

/** The definitions, about 1 MB of memory from the first call on. */
export function definitions(): Promise<Definitions> {
  unpacked ??= unpack();
  return unpacked;
}

async function unpack(): Promise<Definitions> {
  const { packed } = await import('../generated/definitions.js');
  const bytes = await decompress(Buffer.from(packed, 'base64'));
  const byId = new Map<string, Definition>();
  const byName = new Map<string, Definition>();
  for (let start = 0, end = 0; start < bytes.length; start = end + 1) {
    end = bytes.indexOf(LINE_END, start);
    if (end < 0) end = bytes.length;
    const afterId = bytes.indexOf(TAB, start);
    const afterName = bytes.indexOf(TAB, afterId + 1);
    const name = bytes.toString('latin1', afterId + 1, afterName);
    const definition = { name, json: bytes.subarray(afterName + 1, end) };
    byId.set(bytes.toString('latin1', start, afterId), definition);
    byName.set(name, definition);
  }
  return { byId, byName };
}

/** Differs between builds whose definitions differ. */
export const definitionsDigest = async (): Promise<string> => (await import('../generated/definitions.js')).digest;
