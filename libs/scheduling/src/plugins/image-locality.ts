import type { DynamicScore } from '../plugin.ts';

const MIB = 2 ** 20;
/** Below it is worth nothing, beyond it nothing more. Sizes of one container's images. */
const BYTES_MIN = 23 * MIB;
const BYTES_MAX_PER_CONTAINER = 1_000 * MIB;

/** With a tag, as nodes report it. */
const named = (image: string): string => (image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image);

/**
 * Prefers nodes that have the pod's images already: the larger these are, and the more nodes have them, which keeps
 * pods from gathering where an image came first.
 */
export const imageLocality: DynamicScore = {
  name: 'ImageLocality',
  score({ images }, table, slots, count, scores) {
    const known: { worth: number; slots: ReadonlySet<number> }[] = [];
    for (const name of images) {
      const image = table.images.get(named(name));
      if (image) known.push({ worth: Math.floor(image.bytes * (image.slots.size / table.size)), slots: image.slots });
    }
    if (known.length === 0) return false;
    const max = BYTES_MAX_PER_CONTAINER * images.length;
    for (let at = 0; at < count; at += 1) {
      let sum = 0;
      for (const { worth, slots: having } of known) if (having.has(slots[at]!)) sum += worth;
      const bytes = Math.min(Math.max(sum, BYTES_MIN), max);
      scores[at] = Math.floor((100 * (bytes - BYTES_MIN)) / (max - BYTES_MIN));
    }
    return true;
  },
};
