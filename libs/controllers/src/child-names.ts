import { hash32, letters } from './stable-hash.ts';

const SUFFIX_LENGTH = 5;
/** As long as generateName keeps of its base, so that a name is also a host name. */
const BASE_LENGTH_MAX = 63 - SUFFIX_LENGTH;

/**
 * `count` names that begin with `base`, like those of generateName. They follow from `seed`: whoever plans again from
 * the same state asks for the same names, and a create that had gone through unnoticed is refused as AlreadyExists
 * instead of happening twice. A seed that holds the owner's resourceVersion gives fresh names after each of its changes.
 */
export function childNames(
  base: string,
  seed: string,
  count: number,
  isTaken: (name: string) => boolean,
): readonly string[] {
  const names = new Set<string>();
  const stem = base.slice(0, BASE_LENGTH_MAX);
  for (let i = 0; names.size < count; i++) {
    const name = stem + letters(hash32(`${seed}/${i}`), SUFFIX_LENGTH);
    if (!isTaken(name)) names.add(name);
  }
  return [...names];
}
