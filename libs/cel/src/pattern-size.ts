/** What all patterns of an expression may have together, repetitions written out: they take time before they match. */
export const PATTERN_SIZE_MAX = 2_000;

const REPETITION = /\{(\d+)(?:,(\d*))?\}/y;
const CLASS = /\[\^?\]?(?:\\.|[^\]\\])*\]?/sy;

/** As many characters as a regular expression has with its repetitions written out: `(ab){3}c` seven. */
export function patternSize(text: string): number {
  /** What was read in each of the groups that are open, and of it the last thing that may be repeated. */
  const groups = [{ size: 0, last: 0 }];
  for (let i = 0; i < text.length; i++) {
    const group = groups.at(-1)!;
    const add = (size: number): void => {
      group.size += size;
      group.last = size;
    };
    const skipped = (pattern: RegExp): RegExpExecArray | null => {
      pattern.lastIndex = i;
      const found = pattern.exec(text);
      if (found) i += found[0].length - 1;
      return found;
    };
    if (text[i] === '(') groups.push({ size: 0, last: 0 });
    else if (text[i] === ')' && groups.length > 1) {
      groups.pop();
      const outer = groups.at(-1)!;
      outer.last = group.size + 1;
      outer.size += outer.last;
    } else if (text[i] === '[') {
      skipped(CLASS);
      add(1);
    } else if (text[i] === '\\') {
      i++;
      add(1);
    } else if (text[i] === '{') {
      const [, least, most] = skipped(REPETITION) ?? [];
      const times = Math.max(Number(most || least || 1), 1);
      group.size += group.last * (times - 1);
      group.last *= times;
    } else add(1);
  }
  return groups.reduce((sum, { size }) => sum + size, 0);
}
