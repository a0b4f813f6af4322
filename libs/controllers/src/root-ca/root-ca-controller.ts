import { type ConfigMap, configMap, type Namespace, namespace, sameValue } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import { type Controller, defineController, idle, watchRule } from '@periplus/reconcile';

const NAME = 'kube-root-ca.crt';
const DESCRIPTION =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal ' +
  'service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/**
 * Publishes the cluster's authority in every namespace, where pods find it.
 * https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-token-volume
 */
export function rootCaController(rootCaPem: string): Controller<Namespace> {
  const data = { 'ca.crt': rootCaPem };
  const concerns = (now: DeepReadonly<ConfigMap> | null, old: DeepReadonly<ConfigMap> | null) => {
    const { name, namespace: of = '' } = (now ?? old)?.metadata ?? {};
    return name === NAME ? [{ namespace: '', name: of }] : [];
  };
  return defineController<Namespace>({
    name: 'root-ca-cert-publisher',
    for: namespace,
    watches: [watchRule(configMap, concerns)],
    reconcile({ name }, view) {
      const ns = view.get(namespace, '', name);
      if (!ns || ns.metadata.deletionTimestamp) return idle;
      const target = { kind: configMap, namespace: name, name: NAME };
      const present = view.get(configMap, name, NAME);
      if (!present) {
        const annotations = { 'kubernetes.io/description': DESCRIPTION };
        const object = {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: NAME, namespace: name, annotations },
          data,
        };
        return { steps: [[{ ...target, verb: 'create', object }]] };
      }
      if (sameValue(present.data, data)) return idle;
      const removed = Object.fromEntries(Object.keys(present.data ?? {}).map((entry) => [entry, null]));
      return { steps: [[{ ...target, verb: 'patch', type: 'merge', patch: { data: { ...removed, ...data } } }]] };
    },
  });
}
