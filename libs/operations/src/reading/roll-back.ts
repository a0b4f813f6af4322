import type { Change, Entry } from '@periplus/cache';

/** `[<namespace>/]<name>`: the order of lists is the order of these texts, as it is in etcd. */
export const pathOf = ({ key }: Entry): string => (key.namespace === '' ? key.name : `${key.namespace}/${key.name}`);

/** In the order of lists, `entries` with other states put in; null takes one out. */
function merged(entries: readonly Entry[], others: ReadonlyMap<string, Entry | null>): Entry[] {
  const placed = [...others].filter((one): one is [string, Entry] => one[1] !== null);
  placed.sort(([a], [b]) => (a < b ? -1 : 1));
  const result: Entry[] = [];
  let next = 0;
  for (const entry of entries) {
    const path = pathOf(entry);
    while (next < placed.length && placed[next]![0] <= path) result.push(placed[next++]![1]);
    if (!others.has(path)) result.push(entry);
  }
  while (next < placed.length) result.push(placed[next++]![1]);
  return result;
}

/** The entries of a list as they were before `changes`, which come oldest first and may concern others too. */
export function rolledBack(entries: readonly Entry[], changes: readonly Change[], namespace: string): readonly Entry[] {
  if (changes.length === 0) return entries;
  const before = new Map<string, Entry | null>();
  for (const { entry, previous } of changes) {
    if (namespace !== '' && entry.key.namespace !== namespace) continue;
    const path = pathOf(entry);
    if (!before.has(path)) before.set(path, previous);
  }
  return merged(entries, before);
}
