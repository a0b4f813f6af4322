import type { Kind } from '@periplus/api';
import {
  controllerOf,
  type DeepReadonly,
  type KubeObject,
  type OwnerReference,
  ownerReferenceTo,
  type Selector,
} from '@periplus/apimachinery';
import type { Command } from '@periplus/client';

type Owned = DeepReadonly<KubeObject>;

/** Changes the owners of `object`; refused when it was changed since, so that two owners can't both take it. */
const setOwners = (
  kind: Kind,
  object: Owned,
  owners: readonly DeepReadonly<OwnerReference>[],
  finalizers?: readonly string[],
): Command => ({
  verb: 'patch',
  kind,
  namespace: object.metadata.namespace ?? '',
  name: object.metadata.name ?? '',
  ifUid: object.metadata.uid,
  ifResourceVersion: object.metadata.resourceVersion,
  type: 'merge',
  patch: { metadata: { ownerReferences: owners.length > 0 ? owners : null, ...(finalizers && { finalizers }) } },
});

const withoutOwners = ({ metadata }: Owned, uids: ReadonlySet<string>) =>
  (metadata.ownerReferences ?? []).filter(({ uid }) => !uids.has(uid));

/** Takes the owners with these uids from `object`. */
export const disown = (kind: Kind, object: Owned, uids: ReadonlySet<string>): Command =>
  setOwners(kind, object, withoutOwners(object, uids));

export interface Claim<T> {
  /** What is controlled by the owner once `commands` are done. */
  claimed: DeepReadonly<T>[];
  /** Adoptions and releases. */
  commands: Command[];
}

/**
 * Decides what belongs to an owner: what it controls and selects stays; what it controls and no longer selects is let
 * go; what it selects and nobody controls is adopted. An owner on its way out changes nothing, and what is being
 * deleted is not adopted. What has an owner with a `finalizer` has that too. https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#non-template-pod-acquisitions
 */
export function claim<T extends KubeObject>(
  owner: { kind: Kind; object: Owned; selector: Selector; finalizer?: string },
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
      else if (!deletionTimestamp) result.commands.push(letGo(kind, candidate, uid, owner.finalizer));
    } else if (matches && !deletionTimestamp && !candidate.metadata.deletionTimestamp) {
      const owners = [...(candidate.metadata.ownerReferences ?? []), ownerReferenceTo(owner.object, owner.kind)];
      result.commands.push(setOwners(kind, candidate, owners, withFinalizer(candidate, owner.finalizer)));
      result.claimed.push(candidate);
    }
  }
  return result;
}

const withFinalizer = ({ metadata }: Owned, finalizer: string | undefined): readonly string[] | undefined =>
  finalizer === undefined ? undefined : [...new Set([...(metadata.finalizers ?? []), finalizer])];

function letGo(kind: Kind, object: Owned, uid: string, finalizer: string | undefined): Command {
  const kept = finalizer && object.metadata.finalizers?.filter((each) => each !== finalizer);
  return setOwners(kind, object, withoutOwners(object, new Set([uid])), kept || undefined);
}
