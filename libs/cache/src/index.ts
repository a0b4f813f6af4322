/** The cluster at one revision, fed by one etcd watch. `types.ts` is the contract. */
export type { Change, Entry, Index, View } from './types.ts';
/*
class ClusterCache {
  constructor(deps: { etcd: EtcdClient; prefix: string; cipher: Cipher | null; indexes?: Index[]; kinds: KindRegistry;
                      liveness?: boolean; only?: (resource: {group, resource}) => boolean; log })
  start(signal: AbortSignal): Promise<void>     resolves when listed and watching; relists by itself after compaction
  readonly revision: number                     everything up to here is in
  waitFor(revision: number, signal?: AbortSignal): Promise<void>   asks for progress when idle
  current(): Promise<number>                    linearizable read revision: one etcd read shared by all callers of the moment
  get(key), list({group, resource}, namespace?): Entry[]
  view(nowMs: number): View
  subscribe(listener: (revision: number, changes: readonly Change[]) => void): () => void
  subscribeLiveness(listener: (node: string, alive: boolean, revision: number) => void): () => void   once `alive` of views shows it
  find(requestId, key)                          implements store's Outcomes
  window: recent changes per resource, for watches that start in the past; `oldest(resource)` revision; older: 410
}
*/
