import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';

/** An OpenAPI v3 schema, as it is published. */
export interface Definition {
  /** `io.k8s.api.apps.v1.Deployment`. */
  name: string;
  /** The schema as JSON. What it refers to is `#/components/schemas/<name>`. */
  json: string;
}

/** What is published about the types that kinds are made of. Memory for whoever holds it: about 1 MB. */
export interface Definitions {
  /** By `apps/v1.Deployment`, `v1.PodSpec`, `meta/v1.Status`. */
  byId: ReadonlyMap<string, Definition>;
  byName: ReadonlyMap<string, Definition>;
}

const decompress = promisify(brotliDecompress);

/** Unpacks the definitions, each time anew: documents made of them are kept, they are not. */
export async function definitions(): Promise<Definitions> {
  const { packed } = await import('../generated/definitions.js');
  const text = (await decompress(Buffer.from(packed, 'base64'))).toString();
  const byId = new Map<string, Definition>();
  const byName = new Map<string, Definition>();
  for (const line of text.split('\n')) {
    const [id, name, json] = line.split('\t') as [string, string, string];
    byId.set(id, { name, json });
    byName.set(name, { name, json });
  }
  return { byId, byName };
}

/** Differs between builds whose definitions differ. */
export const definitionsDigest = async (): Promise<string> => (await import('../generated/definitions.js')).digest;
