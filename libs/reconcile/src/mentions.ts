import type { Change } from '@periplus/cache';

/** Whether the changed object has, or had, one of these texts in its JSON: `"finalizers"`. */
export const mentions = ({ entry, previous }: Change, ...texts: readonly string[]): boolean =>
  texts.some((text) => entry.mentions(text) || (previous?.mentions(text) ?? false));
