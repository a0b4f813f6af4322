/**
 * The kinds of the cluster. `kind.ts` says what a kind is; each file below `core/`, `apps/`, ... is one.
 */
export type { Column, Kind, ScalePaths } from './kind.ts';
export type { Schema } from './schema.ts';
