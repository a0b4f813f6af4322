import type { Environment } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';

/** What `matches` is called in compiled expressions: that of the language's package may take exponential time. */
export const MATCHES = 'matchesInLinearTime';

function* findings(text: string, pattern: string): Generator<string> {
  const matcher = RE2JS.compile(pattern).matcher(text);
  while (matcher.find()) yield matcher.group() ?? '';
}

function findAll(text: string, pattern: string, limit = -1n): string[] {
  const found: string[] = [];
  for (const one of findings(text, pattern)) {
    if (limit >= 0n && BigInt(found.length) >= limit) break;
    found.push(one);
  }
  return found;
}

/** In RE2's syntax, and in time that grows with the text only. https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-regex-library */
export function addRegularExpressions(environment: Environment): void {
  environment
    .registerFunction(`string.${MATCHES}(string): bool`, (text: string, pattern: string) =>
      RE2JS.compile(pattern).matcher(text).find(),
    )
    .registerFunction('string.find(string): string', (text: string, pattern: string) => {
      const { value } = findings(text, pattern).next();
      return value ?? '';
    })
    .registerFunction('string.findAll(string): list<string>', (text: string, pattern: string) => findAll(text, pattern))
    .registerFunction('string.findAll(string, int): list<string>', findAll);
}
