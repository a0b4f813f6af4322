/** What makes claims and volumes belong together: annotations of the binding, and which volume serves a claim. */
import {
  compileLabelSelector,
  type DeepReadonly,
  everything,
  type KubeObject,
  parseQuantity,
} from '@periplus/apimachinery';
import type { PersistentVolume } from '../core/persistent-volume.ts';
import type { PersistentVolumeClaim } from '../core/persistent-volume-claim.ts';
import { storageClassOf } from './storage-class-of.ts';

type Volume = DeepReadonly<PersistentVolume>;
type Claim = DeepReadonly<PersistentVolumeClaim>;

/** https://kubernetes.io/docs/reference/labels-annotations-taints/ */
export const VOLUME_ANNOTATION = {
  /** On a claim: it has been bound, so a volume that is missing now is lost. */
  bindCompleted: 'pv.kubernetes.io/bind-completed',
  /** On a claim or a volume: the controller, and no user, wrote down the other one. */
  boundByController: 'pv.kubernetes.io/bound-by-controller',
  /** On a volume: who made it. */
  provisionedBy: 'pv.kubernetes.io/provisioned-by',
  /** On a claim: who is to make its volume. */
  provisioner: 'volume.kubernetes.io/storage-provisioner',
  /** On a claim: the same, for provisioners that know the older name. */
  betaProvisioner: 'volume.beta.kubernetes.io/storage-provisioner',
  /** On a claim: where its first pod is going to run. */
  selectedNode: 'volume.kubernetes.io/selected-node',
} as const;

export const annotationOf = (
  { metadata }: Pick<DeepReadonly<KubeObject>, 'metadata'>,
  name: keyof typeof VOLUME_ANNOTATION,
): string | undefined => metadata.annotations?.[VOLUME_ANNOTATION[name]];

/** Whether the volume names this claim: by its name at least, and by no other's uid. */
export function isHeldFor({ spec: { claimRef } }: Volume, { metadata }: Claim): boolean {
  if (claimRef?.name !== metadata.name || claimRef?.namespace !== metadata.namespace) return false;
  return !claimRef?.uid || claimRef.uid === metadata.uid;
}

const sizeOf = (quantity: string | number | undefined) => parseQuantity(quantity ?? 0);
const modeOf = ({ spec }: { spec: { readonly volumeMode?: string } }): string => spec.volumeMode ?? 'Filesystem';

/** What the volume lacks that the claim asks for, in the words of the VolumeMismatch event; undefined: nothing. */
function lack(volume: Volume, claim: Claim): string | undefined {
  if (sizeOf(volume.spec.capacity?.storage).compare(sizeOf(claim.spec.resources?.requests?.storage)) < 0) {
    return 'requested PV is too small';
  }
  if (modeOf(volume) !== modeOf(claim)) return 'incompatible volumeMode';
  if ((volume.spec.volumeAttributesClassName ?? '') !== (claim.spec.volumeAttributesClassName ?? '')) {
    return 'volumeAttributesClassName does not match';
  }
  const offered = volume.spec.accessModes ?? [];
  return claim.spec.accessModes?.every((mode) => offered.includes(mode)) ? undefined : 'incompatible accessMode';
}

/** Why the volume is not one for the claim, which asks for just that one; undefined when it is. */
export const volumeMismatch = (volume: Volume, claim: Claim): string | undefined =>
  storageClassOf(volume) === storageClassOf(claim) ? lack(volume, claim) : 'storageClassName does not match';

/** The fewest modes that are not asked for, then the smallest, then the first by name. */
function isBetter(one: Volume, other: Volume): boolean {
  const modes = (one.spec.accessModes?.length ?? 0) - (other.spec.accessModes?.length ?? 0);
  if (modes !== 0) return modes < 0;
  const size = sizeOf(one.spec.capacity?.storage).compare(sizeOf(other.spec.capacity?.storage));
  return size !== 0 ? size < 0 : (one.metadata.name ?? '') < (other.metadata.name ?? '');
}

/**
 * The volume for a claim that names none: one that is held for it, whatever its class, or else the smallest of those
 * that are Available, are of its class, fit and pass `isUsable`, which says what else matters: the node, other claims.
 * https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding
 */
export function matchingVolume(
  claim: Claim,
  volumes: readonly Volume[],
  isUsable: (volume: Volume) => boolean = () => true,
): Volume | undefined {
  const { selector } = claim.spec;
  const labels = selector ? compileLabelSelector(selector) : everything;
  const storageClass = storageClassOf(claim);
  let best: Volume | undefined;
  for (const volume of volumes) {
    const { metadata, spec, status } = volume;
    if (metadata.deletionTimestamp || lack(volume, claim) !== undefined || !isUsable(volume)) continue;
    if (isHeldFor(volume, claim)) return volume;
    if (spec.claimRef || status?.phase !== 'Available' || storageClassOf(volume) !== storageClass) continue;
    if (!labels.matches(metadata.labels)) continue;
    if (!best || isBetter(volume, best)) best = volume;
  }
  return best;
}
