import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { Cipher, newKeyFile, openCipher } from './cipher.ts';

const folder = mkdtempSync(join(tmpdir(), 'periplus-cipher-'));
afterAll(() => rmSync(folder, { recursive: true }));

const keyOf = (id: string): { id: string; key: Buffer } => ({ id, key: randomBytes(32) });
const fileOf = (content: string): string => {
  const file = join(folder, randomBytes(4).toString('hex'));
  writeFileSync(file, content);
  return file;
};

describe('Cipher', () => {
  it('opens what it has sealed', () => {
    const cipher = new Cipher([keyOf('a')]);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.string(), (plain, context) => {
        const sealed = cipher.seal(Buffer.from(plain), context);
        expect(cipher.open(sealed, context)).toEqual(Buffer.from(plain));
      }),
    );
  });

  it('seals with the first key and opens with all', () => {
    const [old, fresh] = [keyOf('old'), keyOf('new')];
    const before = new Cipher([old]).seal(Buffer.from('secret'), 'k');
    const rotated = new Cipher([fresh, old]);
    expect(rotated.open(before, 'k')?.toString()).toBe('secret');
    const after = rotated.seal(Buffer.from('secret'), 'k');
    expect(after.keyId).toBe('new');
    expect(new Cipher([old]).open(after, 'k')).toBe(null);
  });

  it('refuses what was changed or moved', () => {
    const cipher = new Cipher([keyOf('a')]);
    const sealed = cipher.seal(Buffer.from('secret'), 'k');
    expect(() => cipher.open(sealed, 'other')).toThrow();
    for (let at = 0; at < sealed.ciphertext.length; at++) {
      const ciphertext = Buffer.from(sealed.ciphertext);
      ciphertext[at]! ^= 1;
      expect(() => cipher.open({ ...sealed, ciphertext }, 'k')).toThrow();
    }
    expect(() => cipher.open({ ...sealed, ciphertext: sealed.ciphertext.subarray(0, 8) }, 'k')).toThrow();
    expect(() => cipher.open({ ...sealed, ciphertext: Buffer.alloc(0) }, 'k')).toThrow();
  });

  it('never uses a nonce twice', () => {
    const cipher = new Cipher([keyOf('a')]);
    const nonces = Array.from({ length: 1_000 }, () => cipher.seal(Buffer.from('x'), 'k').nonce.toString('hex'));
    expect(new Set(nonces).size).toBe(1_000);
  });

  it('wants keys of the right size, each with an id of its own', () => {
    expect(() => new Cipher([])).toThrow('at least one key');
    expect(() => new Cipher([{ id: 'a', key: randomBytes(16) }])).toThrow('has 16 bytes');
    expect(() => new Cipher([{ id: '', key: randomBytes(32) }])).toThrow('needs an id');
    expect(() => new Cipher([keyOf('a'), keyOf('a')])).toThrow('same id');
  });
});

describe('a key file', () => {
  it('is made, and read', async () => {
    const cipher = await openCipher(fileOf(newKeyFile()));
    expect(cipher.open(cipher.seal(Buffer.from('x'), 'k'), 'k')?.toString()).toBe('x');
  });

  it('keeps the older keys when one is added', async () => {
    const old = keyOf('old');
    const cipher = await openCipher(fileOf(newKeyFile([old])));
    expect(cipher.open(new Cipher([old]).seal(Buffer.from('x'), 'k'), 'k')?.toString()).toBe('x');
    expect(cipher.seal(Buffer.from('x'), 'k').keyId).not.toBe('old');
  });

  it('is refused with its name, and never quoted', async () => {
    const refusal = async (content: string): Promise<string> =>
      openCipher(fileOf(content)).then(
        () => '',
        (error: Error) => error.message,
      );
    expect(await refusal('c2VjcmV0')).toMatch(/encryption key file .*: not JSON$/);
    expect(await refusal('{}')).toMatch('not a list of keys');
    expect(await refusal('[]')).toMatch('at least one key');
    expect(await refusal('[{"id":"a"}]')).toMatch('entry 0 has no id or no key');
    expect(await refusal('[null]')).toMatch('entry 0 has no id or no key');
    expect(await refusal('[{"id":"a","key":"c2VjcmV0"}]')).toMatch('has 6 bytes, not 32');
    await expect(openCipher(join(folder, 'missing'))).rejects.toThrow('ENOENT');
  });
});
