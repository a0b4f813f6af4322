import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** What seals and opens the payload of confidential kinds. */
export interface CipherKey {
  id: string;
  key: Buffer;
}

export interface Sealed {
  keyId: string;
  nonce: Buffer;
  /** With the tag at its end. */
  ciphertext: Buffer;
}

/** AES-256-GCM with several keys: the first seals, all open, so that keys can be rotated. */
export class Cipher {
  readonly #keys: ReadonlyMap<string, Buffer>;
  readonly #first: CipherKey;

  constructor(keys: readonly CipherKey[]) {
    const [first] = keys;
    if (first === undefined) throw new Error('a cipher needs at least one key');
    for (const { id, key } of keys) {
      if (id === '') throw new Error('an encryption key needs an id');
      if (key.length !== KEY_BYTES) throw new Error(`encryption key "${id}" has ${key.length} bytes, not ${KEY_BYTES}`);
    }
    this.#first = first;
    this.#keys = new Map(keys.map(({ id, key }) => [id, key]));
    if (this.#keys.size !== keys.length) throw new Error('two encryption keys have the same id');
  }

  /** `context` is not kept with the ciphertext and must be given to open it: what was sealed cannot be moved elsewhere. */
  seal(plain: Buffer, context: string): Sealed {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.#first.key, nonce).setAAD(Buffer.from(context));
    const ciphertext = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    return { keyId: this.#first.id, nonce, ciphertext };
  }

  /** Returns null when the key is not among ours; throws when the ciphertext or its context was tampered with. */
  open({ keyId, nonce, ciphertext }: Sealed, context: string): Buffer | null {
    const key = this.#keys.get(keyId);
    if (key === undefined) return null;
    const tagAt = Math.max(0, ciphertext.length - TAG_BYTES);
    const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(context)).setAuthTag(ciphertext.subarray(tagAt));
    return Buffer.concat([decipher.update(ciphertext.subarray(0, tagAt)), decipher.final()]);
  }
}

/** Reads a key file: a JSON list of `{ "id": "...", "key": "<32 bytes in base64>" }`. */
export async function openCipher(keyFile: string): Promise<Cipher> {
  try {
    return new Cipher(parseKeys(JSON.parse(await readFile(keyFile, 'utf8'))));
  } catch (error) {
    // A parser's message may quote the file, and so a key.
    const why = error instanceof SyntaxError ? 'not JSON' : (error as Error).message;
    throw new Error(`encryption key file ${keyFile}: ${why}`);
  }
}

/** The content of a key file with one new key, put before those of `older`, which then only open. */
export function newKeyFile(older: readonly CipherKey[] = []): string {
  const id = `${new Date().toISOString().slice(0, 10)}-${randomBytes(4).toString('hex')}`;
  const keys = [{ id, key: randomBytes(KEY_BYTES) }, ...older];
  return `${JSON.stringify(
    keys.map((each) => ({ id: each.id, key: each.key.toString('base64') })),
    null,
    2,
  )}\n`;
}

function parseKeys(list: unknown): CipherKey[] {
  if (!Array.isArray(list)) throw new Error('not a list of keys');
  return list.map((entry: unknown, at) => {
    const { id, key } = (entry ?? {}) as { id?: unknown; key?: unknown };
    if (typeof id !== 'string' || typeof key !== 'string') throw new Error(`entry ${at} has no id or no key`);
    return { id, key: Buffer.from(key, 'base64') };
  });
}
