import { type Namespace, namespace, serviceAccount } from '@periplus/api';
import { defineController, idle, watchRule } from '@periplus/reconcile';

const NAME = 'default';

/** Every namespace has a service account `default`. https://kubernetes.io/docs/concepts/security/service-accounts/#default-service-accounts */
export const serviceAccountController = defineController<Namespace>({
  name: 'serviceaccount',
  for: namespace,
  watches: [
    watchRule(serviceAccount, (now, old) =>
      now === null && old?.metadata.name === NAME ? [{ namespace: '', name: old.metadata.namespace ?? '' }] : [],
    ),
  ],
  reconcile({ name }, view) {
    const ns = view.get(namespace, '', name);
    if (!ns || ns.metadata.deletionTimestamp || view.get(serviceAccount, name, NAME)) return idle;
    const object = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: NAME, namespace: name } };
    return { steps: [[{ verb: 'create', kind: serviceAccount, namespace: name, name: NAME, object }]] };
  },
});
