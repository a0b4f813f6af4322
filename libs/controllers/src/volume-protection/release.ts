import type { Kind } from '@periplus/api';
import type { DeepReadonly, KubeObject } from '@periplus/apimachinery';
import { idle, type Plan } from '@periplus/reconcile';

/** Takes the finalizer off an object that is to go and that nobody uses. */
export function release(
  kind: Kind,
  object: DeepReadonly<KubeObject> | undefined,
  finalizer: string,
  isUsed: () => boolean,
): Plan {
  const { deletionTimestamp, finalizers = [], namespace = '', name = '', ...metadata } = object?.metadata ?? {};
  if (!deletionTimestamp || !finalizers.includes(finalizer) || isUsed()) return idle;
  const kept = finalizers.filter((one) => one !== finalizer);
  return {
    steps: [
      [
        {
          ...{ verb: 'patch', type: 'merge', kind, namespace, name },
          ...{ ifUid: metadata.uid, ifResourceVersion: metadata.resourceVersion },
          patch: { metadata: { finalizers: kept } },
        },
      ],
    ],
  };
}
