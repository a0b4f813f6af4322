import { atRest } from '../controllers/at-rest.ts';
import { rollout } from '../controllers/rollout.ts';
import type { Figure } from '../figure.ts';

/** What controllers take, `controllers/<case>`: each on a cluster of its own. */
export const controllers: Record<string, () => Promise<Figure[]>> = {
  'controllers/deployment': () => rollout({ nodes: 1_000, replicas: 5_000 }),
  'controllers/at-rest': () => atRest({ nodes: 1_000, sets: 10_000, replicas: 10 }),
};
