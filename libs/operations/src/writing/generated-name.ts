import { randomInt } from 'node:crypto';

/** Without vowels and what looks alike, so that no words come about. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX_LENGTH = 5;
/** A name is a DNS label: a longer prefix is cut. */
const PREFIX_LENGTH_MAX = 63 - SUFFIX_LENGTH;

/** `prefix` and five random characters. https://kubernetes.io/docs/reference/using-api/api-concepts/#generated-values */
export function generatedName(prefix: string): string {
  let name = prefix.slice(0, PREFIX_LENGTH_MAX);
  for (let i = 0; i < SUFFIX_LENGTH; i++) name += ALPHABET[randomInt(ALPHABET.length)];
  return name;
}
