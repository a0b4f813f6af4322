import type { Kind } from '@periplus/api';
import type { DeepReadonly, KubeObject, OwnerReference, Selector } from '@periplus/apimachinery';
import type { Command } from '@periplus/client';

type Owned = DeepReadonly<KubeObject>;

export const apiVersionOf = ({ group, version }: Kind): string => (group ? `${group}/${version}` : version);

/** The reference by which `owner` controls an object. */
export const controllerReference = (kind: Kind, owner: Owned): OwnerReference => ({
  apiVersion: apiVersionOf(kind),
  kind: kind.kind,
  name: owner.metadata.name ?? '',
  uid: owner.metadata.uid ?? '',
  controller: true,
  blockOwnerDeletion: true,
});

export const controllerOf = (object: Owned): DeepReadonly<OwnerReference> | undefined =>
  object.metadata.ownerReferences?.find((reference) => reference.controller);

export const isControlledBy = (object: Owned, ownerUid: string): boolean => controllerOf(object)?.uid === ownerUid;

/** Changes the owners of `object`; refused when it was changed since, so that two owners can't both take it. */
const setOwners = (kind: Kind, object: Owned, owners: readonly DeepReadonly<OwnerReference>[]): Command => ({
  verb: 'patch',
  kind,
  namespace: object.metadata.namespace ?? '',
  name: object.metadata.name ?? '',
  ifUid: object.metadata.uid,
  ifResourceVersion: object.metadata.resourceVersion,
  type: 'merge',
  patch: { metadata: { ownerReferences: owners.length > 0 ? owners : null } },
});

/** Takes the owners with these uids from `object`. */
export const disown = (kind: Kind, object: Owned, uids: ReadonlySet<string>): Command =>
  setOwners(
    kind,
    object,
    (object.metadata.ownerReferences ?? []).filter(({ uid }) => !uids.has(uid)),
  );

export interface Claim<T> {
  /** What is controlled by the owner once `commands` are done. */
  claimed: DeepReadonly<T>[];
  /** Adoptions and releases. */
  commands: Command[];
}

/**
 * Decides what belongs to an owner: what it controls and selects stays; what it controls and no longer selects is let
 * go; what it selects and nobody controls is adopted. An owner on its way out changes nothing, and what is being
 * deleted is not adopted. https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#non-template-pod-acquisitions
 */
export function claim<T extends KubeObject>(
  owner: { kind: Kind; object: Owned; selector: Selector },
  kind: Kind<T>,
  candidates: Iterable<DeepReadonly<T>>,
): Claim<T> {
  const { uid = '', deletionTimestamp } = owner.object.metadata;
  const result: Claim<T> = { claimed: [], commands: [] };
  for (const candidate of candidates) {
    const matches = owner.selector.matches(candidate.metadata.labels);
    const controller = controllerOf(candidate);
    if (controller) {
      if (controller.uid !== uid) continue;
      if (matches) result.claimed.push(candidate);
      else if (!deletionTimestamp) result.commands.push(disown(kind, candidate, new Set([uid])));
    } else if (matches && !deletionTimestamp && !candidate.metadata.deletionTimestamp) {
      const owners = [...(candidate.metadata.ownerReferences ?? []), controllerReference(owner.kind, owner.object)];
      result.commands.push(setOwners(kind, candidate, owners));
      result.claimed.push(candidate);
    }
  }
  return result;
}
