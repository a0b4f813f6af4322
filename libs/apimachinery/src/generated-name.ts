/** Without vowels and look-alikes, so that no words appear. https://github.com/kubernetes/apimachinery util/rand */
export const SAFE_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** Random bytes that a generated name needs. */
export const NAME_SUFFIX_LENGTH = 5;

/** Generated names are labels at most, whatever their kind would allow. */
const NAME_LENGTH_MAX = 63;

/** `web-` becomes `web-x7k2p`; the base is cut so that the name stays within 63 characters. */
export function generatedName(generateName: string, random: Uint8Array): string {
  let suffix = '';
  for (const byte of random.subarray(0, NAME_SUFFIX_LENGTH)) suffix += SAFE_ALPHABET[byte % SAFE_ALPHABET.length];
  return generateName.slice(0, NAME_LENGTH_MAX - NAME_SUFFIX_LENGTH) + suffix;
}
