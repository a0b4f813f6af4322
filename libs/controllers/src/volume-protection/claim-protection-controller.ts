import { claimNamesOf, type PersistentVolumeClaim, PVC_PROTECTION, persistentVolumeClaim, pod } from '@periplus/api';
import { type Controller, defineController, watchRule } from '@periplus/reconcile';
import { release } from './release.ts';

/**
 * Lets claims go that no pod uses. A pod without a node does not count: no node starts one whose claim is to go.
 * https://kubernetes.io/docs/concepts/storage/persistent-volumes/#storage-object-in-use-protection
 */
export const claimProtectionController: Controller<PersistentVolumeClaim> = defineController<PersistentVolumeClaim>({
  name: 'persistentvolumeclaim-protection',
  for: persistentVolumeClaim,
  watches: [
    watchRule(
      pod,
      (now, old) => {
        if (now !== null || old === null) return [];
        return claimNamesOf(old).map((name) => ({ namespace: old.metadata.namespace!, name }));
      },
      ({ type }) => type === 'deleted',
    ),
  ],
  reconcile({ namespace, name }, view) {
    const claim = view.get(persistentVolumeClaim, namespace, name);
    return release(persistentVolumeClaim as never, claim, PVC_PROTECTION, () =>
      view.list(pod, namespace).some((one) => one.spec.nodeName && claimNamesOf(one).includes(name)),
    );
  },
});
