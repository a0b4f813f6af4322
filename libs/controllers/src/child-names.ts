import { createHash } from 'node:crypto';
import { generatedName } from '@periplus/apimachinery';

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
  for (let i = 0; names.size < count; i++) {
    const name = generatedName(base, createHash('sha256').update(`${seed}/${i}`).digest());
    if (!isTaken(name)) names.add(name);
  }
  return [...names];
}
