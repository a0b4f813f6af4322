/** Lookups between claims and volumes, so that a change wakes only whom it concerns. */
import {
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolume,
  persistentVolumeClaim,
  storageClassOf,
} from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import type { Index, View } from '@periplus/cache';
import type { ObjectRef } from '@periplus/reconcile';

export type Volume = DeepReadonly<PersistentVolume>;
export type Claim = DeepReadonly<PersistentVolumeClaim>;

const heldFor = (namespace: string, name: string): string => `held for ${namespace}/${name}`;
const ofClass = (name: string): string => `of class ${name}`;
const withVolume = (name: string): string => `with volume ${name}`;

/** Volumes by the claim that they are held for, or else by their class. */
const volumesByUse: Index<PersistentVolume> = {
  name: 'volumes by use',
  kind: persistentVolume,
  keys(volume) {
    const { claimRef } = volume.spec;
    return [claimRef ? heldFor(claimRef.namespace ?? '', claimRef.name ?? '') : ofClass(storageClassOf(volume))];
  },
};

/** Claims by the volume that they name, or else by their class. */
const claimsByNeed: Index<PersistentVolumeClaim> = {
  name: 'claims by need',
  kind: persistentVolumeClaim,
  keys(claim) {
    const { volumeName } = claim.spec;
    return [volumeName ? withVolume(volumeName) : ofClass(storageClassOf(claim))];
  },
};

export const bindingIndexes = [volumesByUse, claimsByNeed] as unknown as readonly Index[];

/** The volumes that are held for the claim, and those of its class that nobody has. */
export const candidatesFor = (claim: Claim, view: View): readonly Volume[] => [
  ...view.index(volumesByUse, heldFor(claim.metadata.namespace ?? '', claim.metadata.name ?? '')),
  ...view.index(volumesByUse, ofClass(storageClassOf(claim))),
];

const refOf = ({ metadata }: Claim): ObjectRef => ({ namespace: metadata.namespace ?? '', name: metadata.name ?? '' });

export const claimsNaming = (volume: string, view: View): ObjectRef[] =>
  view.index(claimsByNeed, withVolume(volume)).map(refOf);

/** Claims of a class that have no volume yet. */
export const claimsWaitingFor = (storageClass: string, view: View): ObjectRef[] =>
  view.index(claimsByNeed, ofClass(storageClass)).map(refOf);
