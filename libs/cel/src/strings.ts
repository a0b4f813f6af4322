import type { Environment } from '@marcbachmann/cel-js';

function charAt(text: string, index: bigint): string {
  const characters = [...text];
  if (index < 0n || index > BigInt(characters.length)) throw new Error(`index out of range: ${index}`);
  return characters[Number(index)] ?? '';
}

function replace(text: string, old: string, by: string, limit = -1n): string {
  if (limit < 0n) return text.replaceAll(old, () => by);
  const parts = text.split(old);
  const replaced = Math.min(Number(limit), parts.length - 1);
  return [...parts.slice(0, replaced).map((part) => part + by), parts.slice(replaced).join(old)].join('');
}

/** What the language's package lacks of https://pkg.go.dev/github.com/google/cel-go/ext#Strings, version 2. */
export function addStrings(environment: Environment): void {
  environment
    .registerFunction('string.charAt(int): string', charAt)
    .registerFunction('string.replace(string, string): string', (text: string, old: string, by: string) =>
      replace(text, old, by),
    )
    .registerFunction('string.replace(string, string, int): string', replace);
}
