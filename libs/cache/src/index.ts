/**
 * The cluster at one revision, fed by one etcd watch. `types.ts` is the contract; `cluster-cache.ts` listens to etcd,
 * `cluster-state.ts` is what it knows, `cluster-view.ts` what reconcilers see of it.
 */
export { endOf, NO_PAST, type Version, type WindowLimits } from './change-window.ts';
export { type CacheDeps, type ChangeListener, ClusterCache, type ListRange } from './cluster-cache.ts';
export type { LivenessListener } from './liveness.ts';
export { textsBehind } from './object-index.ts';
export type { CacheLog, Change, Entry, Index, ResourceId, View } from './types.ts';
