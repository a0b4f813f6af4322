const LAST_CODE_POINT = 0x10ffff;

/**
 * The exclusive end of the range of all keys that start with `prefix`. UTF-8 sorts like code points, so the end is
 * the prefix with its last code point raised. For '' and for prefixes that nothing can follow it is '\0', which
 * etcd reads as "no end".
 */
export function prefixEnd(prefix: string): string {
  const points = Array.from(prefix, (char) => char.codePointAt(0)!);
  while (points.length > 0) {
    const last = points.pop()!;
    if (last < LAST_CODE_POINT) return String.fromCodePoint(...points, nextScalar(last));
  }
  return '\0';
}

/** Surrogates (0xD800 to 0xDFFF) are not characters and have no UTF-8. */
const nextScalar = (point: number): number => (point === 0xd7ff ? 0xe000 : point + 1);
