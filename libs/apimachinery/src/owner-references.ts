import { apiVersionOf, type GroupVersion } from './api-version.ts';
import type { DeepReadonly, KubeObject, OwnerReference } from './object.ts';

type Owned = DeepReadonly<Pick<KubeObject, 'metadata'>>;

/** The one owner that manages the object, if any. */
export function controllerOf(object: Owned): DeepReadonly<OwnerReference> | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true);
}

/** Goes by uid: an owner that was deleted and created again is another one. */
export function isControlledBy(object: Owned, owner: Owned): boolean {
  const controller = controllerOf(object);
  return controller !== undefined && controller.uid === owner.metadata.uid;
}

/**
 * The reference that makes `owner` manage an object and keeps the owner from going first in a foreground
 * deletion. `kind` is the owner's kind.
 */
export function ownerReferenceTo(owner: Owned, kind: GroupVersion & { readonly kind: string }): OwnerReference {
  return {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    name: owner.metadata.name ?? '',
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}
