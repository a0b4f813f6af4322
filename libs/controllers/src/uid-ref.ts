/**
 * Keys of controllers that speak of objects which may have gone: with the uid, so that a namesake is not taken for
 * them.
 */
import type { DeepReadonly, KubeObject } from '@periplus/apimachinery';
import type { ObjectRef } from '@periplus/reconcile';

export const uidRefOf = ({ metadata }: DeepReadonly<KubeObject>): ObjectRef => ({
  namespace: metadata.namespace ?? '',
  name: `${metadata.name}/${metadata.uid}`,
});

/** What such a key names. */
export function namedBy({ namespace, name: nameAndUid }: ObjectRef): { namespace: string; name: string; uid: string } {
  const slash = nameAndUid.indexOf('/');
  return { namespace, name: nameAndUid.slice(0, slash), uid: nameAndUid.slice(slash + 1) };
}
