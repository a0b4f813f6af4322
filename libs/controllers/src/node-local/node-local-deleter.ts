import {
  annotationOf,
  keeperOf,
  NODE_LOCAL_FINALIZER,
  NODE_LOCAL_PROVISIONER,
  node,
  type PersistentVolume,
  persistentVolume,
} from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import type { Index } from '@periplus/cache';
import { type Controller, defineController, idle, watchRule } from '@periplus/reconcile';
import { release } from '../volume-protection/release.ts';

const volumesByKeeper: Index<PersistentVolume> = {
  name: 'volumes by keeper',
  kind: persistentVolume,
  keys: (volume) => [keeperOf(volume) ?? []].flat(),
};

const isUnwanted = ({ spec, status }: DeepReadonly<PersistentVolume>): boolean =>
  status?.phase === 'Released' && spec.persistentVolumeReclaimPolicy === 'Delete';

/**
 * Deletes released volumes. The node then removes the directory and after that what holds the object; where the node
 * has gone for good, so has the directory.
 */
export const nodeLocalDeleter: Controller<PersistentVolume> = defineController<PersistentVolume>({
  name: 'node-local-deleter',
  for: persistentVolume,
  watches: [
    watchRule(node, (now, old, view) => {
      if (now) return [];
      const kept = view.index(volumesByKeeper, old?.metadata.name ?? '');
      return kept.map(({ metadata }) => ({ namespace: '', name: metadata.name ?? '' }));
    }),
  ],
  indexes: [volumesByKeeper as unknown as Index],
  reportsAs: NODE_LOCAL_PROVISIONER,
  reconcile({ name }, view) {
    const volume = view.get(persistentVolume, '', name);
    if (!volume || annotationOf(volume, 'provisionedBy') !== NODE_LOCAL_PROVISIONER) return idle;
    if (volume.metadata.deletionTimestamp) {
      const keeper = keeperOf(volume);
      const isKept = () => volume.status?.phase === 'Bound' || Boolean(keeper && view.get(node, '', keeper));
      return release(persistentVolume as never, volume, NODE_LOCAL_FINALIZER, isKept);
    }
    if (!isUnwanted(volume)) return idle;
    const { uid: ifUid, resourceVersion: ifResourceVersion } = volume.metadata;
    return {
      steps: [[{ verb: 'delete', kind: persistentVolume as never, namespace: '', name, ifUid, ifResourceVersion }]],
    };
  },
});
