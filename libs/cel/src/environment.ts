import { Environment } from '@marcbachmann/cel-js';
import { addLists } from './lists.ts';
import { addQuantities } from './quantities.ts';
import { addRegularExpressions } from './regular-expressions.ts';
import { addSemver } from './semver.ts';
import { addSets } from './sets.ts';
import { addStrings } from './strings.ts';

export type { Environment };

/** Deeper than anybody writes; the parser recurses. cel-go's own limit. */
const DEPTH_MAX = 250;

/**
 * A new environment with the language, optional values, and the libraries for strings, lists, sets, regular expressions,
 * quantities and versions. Who needs it registers his variables in it.
 */
export function kubernetesEnvironment(): Environment {
  const environment = new Environment({ enableOptionalTypes: true, limits: { maxDepth: DEPTH_MAX } });
  for (const add of [addStrings, addLists, addSets, addRegularExpressions, addQuantities, addSemver]) add(environment);
  return environment;
}
