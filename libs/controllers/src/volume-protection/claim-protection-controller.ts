import { type PersistentVolumeClaim, type Pod, PVC_PROTECTION, persistentVolumeClaim, pod } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import { type Controller, defineController, watchRule } from '@periplus/reconcile';
import { release } from './release.ts';

/** Names of the claims that a pod uses; those that are made for it have names of both. */
const claimsOf = ({ metadata, spec }: DeepReadonly<Pod>): string[] =>
  (spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim: claim, ephemeral }) => {
    if (claim) return [claim.claimName];
    return ephemeral ? [`${metadata.name}-${name}`] : [];
  });

/**
 * Lets claims go that no pod uses. A pod without a node does not count: no node starts one whose claim is to go.
 * https://kubernetes.io/docs/concepts/storage/persistent-volumes/#storage-object-in-use-protection
 */
export const claimProtectionController: Controller<PersistentVolumeClaim> = defineController<PersistentVolumeClaim>({
  name: 'persistentvolumeclaim-protection',
  for: persistentVolumeClaim,
  watches: [
    watchRule(pod, (now, old) => {
      if (now !== null || old === null) return [];
      return claimsOf(old).map((name) => ({ namespace: old.metadata.namespace!, name }));
    }),
  ],
  reconcile({ namespace, name }, view) {
    const claim = view.get(persistentVolumeClaim, namespace, name);
    return release(persistentVolumeClaim as never, claim, PVC_PROTECTION, () =>
      view.list(pod, namespace).some((one) => one.spec.nodeName && claimsOf(one).includes(name)),
    );
  },
});
