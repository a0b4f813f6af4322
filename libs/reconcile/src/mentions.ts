import type { Change } from '@periplus/cache';

/** Controllers look at one change after another, and many of them for the same text: that is found once. */
let asked: Change | undefined;
const found = new Map<string, boolean>();

/** Whether the changed object has, or had, one of these texts in its JSON: `"finalizers"`. */
export function mentions(change: Change, ...texts: readonly string[]): boolean {
  if (change !== asked) {
    asked = change;
    found.clear();
  }
  return texts.some((text) => {
    let has = found.get(text);
    if (has === undefined) {
      has = change.entry.bytes.includes(text) || (change.previous?.bytes.includes(text) ?? false);
      found.set(text, has);
    }
    return has;
  });
}
