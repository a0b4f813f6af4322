import {
  annotationOf,
  isDefaultStorageClass,
  isHeldFor,
  leavesClassOpen,
  matchingVolume,
  newestOf,
  type PersistentVolumeClaim,
  persistentVolume,
  persistentVolumeClaim,
  storageClass,
  storageClassOf,
  volumeMismatch,
} from '@periplus/api';
import type { View } from '@periplus/cache';
import { type Controller, defineController, idle, type ObjectRef, type Plan, watchRule } from '@periplus/reconcile';
import { setStatus } from '../status-change.ts';
import { awaitVolume } from './await-volume.ts';
import { bind, giveClass } from './bind.ts';
import {
  bindingIndexes,
  type Claim,
  candidatesFor,
  claimsNaming,
  claimsWaitingFor,
  type Volume,
} from './claim-index.ts';

const isFree = ({ spec, status }: Volume): boolean => !spec.claimRef && status?.phase === 'Available';

const holderOf = (volume: Volume | null): ObjectRef[] => {
  const { namespace = '', name = '' } = volume?.spec.claimRef ?? {};
  return name ? [{ namespace, name }] : [];
};

/** Who is concerned: those whom the volume names, those who name it, and when it becomes free, those who want one. */
function claimsConcerned(now: Volume | null, old: Volume | null, view: View): ObjectRef[] {
  const becomesFree = now !== null && isFree(now) && !(old && isFree(old));
  return [
    ...holderOf(now),
    ...holderOf(old),
    ...claimsNaming((now ?? old)!.metadata.name ?? '', view),
    ...(becomesFree ? claimsWaitingFor(storageClassOf(now), view) : []),
  ];
}

/**
 * Finds a volume for each claim, and asks for one where there is none. Whether a volume is had by the claim is said by
 * both of them, so a claim may be looked at any time, from any state.
 * https://kubernetes.io/docs/concepts/storage/persistent-volumes/#lifecycle-of-a-volume-and-claim
 */
export const claimBinder: Controller<PersistentVolumeClaim> = defineController<PersistentVolumeClaim>({
  name: 'persistentvolumeclaim-binder',
  for: persistentVolumeClaim,
  watches: [
    watchRule(persistentVolume, claimsConcerned),
    watchRule(storageClass, (now, _old, view) => {
      if (!now) return [];
      const waiting = claimsWaitingFor(now.metadata.name ?? '', view);
      return isDefaultStorageClass(now) ? [...waiting, ...claimsWaitingFor('', view)] : waiting;
    }),
  ],
  indexes: bindingIndexes,
  reportsAs: 'persistentvolume-controller',
  reconcile({ namespace, name }, view) {
    const claim = view.get(persistentVolumeClaim, namespace, name);
    if (!claim) return idle;
    if (annotationOf(claim, 'bindCompleted') !== undefined) return planBound(claim, view);
    if (claim.metadata.deletionTimestamp) return idle;
    return claim.spec.volumeName ? planNamed(claim, claim.spec.volumeName, view) : planOpen(claim, view);
  },
});

/** The claim was bound before. */
function planBound(claim: Claim, view: View): Plan {
  const { volumeName } = claim.spec;
  if (!volumeName) {
    const message = 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!';
    return lost(claim, 'ClaimLost', message);
  }
  const volume = view.get(persistentVolume, '', volumeName);
  if (!volume)
    return lost(claim, 'ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!');
  const { claimRef } = volume.spec;
  if (!claimRef || claimRef.uid === claim.metadata.uid) return bind(volume, claim);
  const message = 'Two claims are bound to the same volume, this one is bound incorrectly';
  return lost(claim, 'ClaimMisbound', message);
}

function lost(claim: Claim, reason: string, message: string): Plan {
  if (claim.status?.phase === 'Lost') return idle;
  const wanted = { ...claim.status, phase: 'Lost', accessModes: undefined, capacity: undefined };
  return {
    steps: [setStatus(persistentVolumeClaim as never, claim, wanted)],
    events: [{ about: claim, type: 'Warning', reason, message }],
  };
}

/** A user wants just this volume. */
function planNamed(claim: Claim, volumeName: string, view: View): Plan {
  const volume = view.get(persistentVolume, '', volumeName);
  if (!volume) return idle;
  if (volume.spec.claimRef) {
    if (isHeldFor(volume, claim)) return bind(volume, claim);
    return warn(claim, 'FailedBinding', `volume ${JSON.stringify(volumeName)} already bound to a different claim.`);
  }
  const problem = volumeMismatch(volume, claim);
  if (problem === undefined) return bind(volume, claim);
  return warn(claim, 'VolumeMismatch', `Cannot bind to requested volume ${JSON.stringify(volumeName)}: ${problem}`);
}

const warn = (claim: Claim, reason: string, message: string): Plan => ({
  steps: [],
  events: [{ about: claim, type: 'Warning', reason, message }],
});

/** Any volume will do that fits. */
function planOpen(claim: Claim, view: View): Plan {
  const ofClass = view.get(storageClass, '', storageClassOf(claim));
  // Which node it has to reach is not known before the scheduler has chosen one, or the volume itself.
  const waits =
    ofClass?.volumeBindingMode === 'WaitForFirstConsumer' && annotationOf(claim, 'selectedNode') === undefined;
  const isUsable = waits ? (volume: Volume) => isHeldFor(volume, claim) : undefined;
  const volume = matchingVolume(claim, candidatesFor(claim, view), isUsable);
  if (volume) return bind(volume, claim);
  if (leavesClassOpen(claim)) {
    const byDefault = newestOf(view.list(storageClass).filter(isDefaultStorageClass));
    if (byDefault) return { steps: [[giveClass(claim, byDefault.metadata.name ?? '')]] };
  }
  return awaitVolume(claim, ofClass, waits, view);
}
