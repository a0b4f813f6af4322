import { isJsonObject } from '@periplus/apimachinery';
import { sameValue } from './equality.ts';

/** More than this helps nobody. */
const SHOWN_MAX = 10;

function collect(old: unknown, now: unknown, path: string, lines: string[]): void {
  if (lines.length > SHOWN_MAX || sameValue(old, now)) return;
  const lists = Array.isArray(old) && Array.isArray(now);
  if (!lists && !(isJsonObject(old) && isJsonObject(now))) {
    lines.push(`  ${path}: ${JSON.stringify(old) ?? 'unset'} -> ${JSON.stringify(now) ?? 'unset'}`);
    return;
  }
  const before = old as unknown as Record<string, unknown>;
  const after = now as unknown as Record<string, unknown>;
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    collect(before[name], after[name], lists ? `${path}[${name}]` : `${path}.${name}`, lines);
  }
}

/** One line for each place where two values differ: `  spec.nodeName: "a" -> "b"`. At most ten. */
export function differences(old: unknown, now: unknown, path: string): string[] {
  const lines: string[] = [];
  collect(old, now, path, lines);
  return lines.length > SHOWN_MAX ? [...lines.slice(0, SHOWN_MAX), '  ...'] : lines;
}
