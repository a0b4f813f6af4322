import { claimNamesOf, type Pod, persistentVolumeClaim, pod } from '@periplus/api';
import type { Entry, Index, View } from '@periplus/cache';
import type { ObjectRef } from '@periplus/reconcile';
import { hasEnded, type PodView } from '../pod-state.ts';
import type { Volume } from './csi-attachment.ts';

/** Few pods have claims, and it shows in their text. */
export const mayHaveClaims = (entry: Entry): boolean => entry.mentions('"claimName"') || entry.mentions('"ephemeral"');

const keyOf = (namespace: string | undefined, claim: string): string => `${namespace}/${claim}`;

const claimsOf = (user: PodView): string[] => claimNamesOf(user).map((name) => keyOf(user.metadata.namespace, name));

export const podsByClaim: Index<Pod> = {
  name: 'pods by claim',
  kind: pod,
  keys: claimsOf,
  candidates: (entry) => (mayHaveClaims(entry) ? claimsOf(entry.object as PodView) : []),
};

/** Whether the pod needs its volumes on its node: one that has ended doesn't, one that is about to end does. */
export const needsVolumes = (user: PodView | null): boolean => Boolean(user?.spec.nodeName) && !hasEnded(user!);

/** The pods that need a volume on their nodes, the oldest first. */
export function usersOf({ metadata, spec }: Volume, view: View): readonly PodView[] {
  const { namespace = '', name = '', uid } = spec.claimRef ?? {};
  const claim = view.get(persistentVolumeClaim, namespace, name);
  const isBound = claim?.status?.phase === 'Bound' && claim.spec.volumeName === metadata.name;
  if (!isBound || claim.metadata.uid !== uid) return [];
  return view.index(podsByClaim, keyOf(namespace, name)).filter(needsVolumes).sort(byAge);
}

const ageOf = ({ metadata }: PodView): string => `${metadata.creationTimestamp} ${metadata.name}`;
const byAge = (one: PodView, other: PodView): number => (ageOf(one) < ageOf(other) ? -1 : 1);

/** The volumes behind the claims of a pod. */
export const volumesOf = (user: PodView, view: View): ObjectRef[] =>
  claimNamesOf(user).flatMap((name) => {
    const volume = view.get(persistentVolumeClaim, user.metadata.namespace ?? '', name)?.spec.volumeName;
    return volume ? [{ namespace: '', name: volume }] : [];
  });
