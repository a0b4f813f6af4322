import type { Environment } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';
import { PATTERN_SIZE_MAX, patternSize } from './pattern-size.ts';

/** What `matches` is called in compiled expressions: that of the language's package may take exponential time. */
export const MATCHES = 'matchesInLinearTime';

/** The same few patterns are used again and again; when there are too many different ones the memory starts over. */
const PATTERNS_MAX = 256;
const patterns = new Map<string, RE2JS>();

/** Throws for what is no pattern of RE2's, or too large a one. */
export function compilePattern(text: string): RE2JS {
  const known = patterns.get(text);
  if (known) return known;
  if (patternSize(text) > PATTERN_SIZE_MAX) throw new Error('error parsing regexp: expression too large');
  if (patterns.size >= PATTERNS_MAX) patterns.clear();
  const compiled = RE2JS.compile(text);
  patterns.set(text, compiled);
  return compiled;
}

function* findings(text: string, pattern: string): Generator<string> {
  const matcher = compilePattern(pattern).matcher(text);
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
      compilePattern(pattern).matcher(text).find(),
    )
    .registerFunction('string.find(string): string', (text: string, pattern: string) => {
      const { value } = findings(text, pattern).next();
      return value ?? '';
    })
    .registerFunction('string.findAll(string): list<string>', (text: string, pattern: string) => findAll(text, pattern))
    .registerFunction('string.findAll(string, int): list<string>', findAll);
}
