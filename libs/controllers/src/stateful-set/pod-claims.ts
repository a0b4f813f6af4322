/**
 * The PersistentVolumeClaims of a StatefulSet's pods, one of each template for each ordinal.
 * https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#persistentvolumeclaim-retention
 */
import {
  type Kind,
  type PersistentVolumeClaim,
  persistentVolumeClaim,
  pod as podKind,
  statefulSet,
} from '@periplus/api';
import { apiVersionOf, type DeepReadonly, type OwnerReference, ownerReferenceTo } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import type { Command } from '@periplus/client';
import type { PodView } from '../pod-state.ts';
import { podNameOf, type StatefulSetView } from './members.ts';

type Template = NonNullable<StatefulSetView['spec']['volumeClaimTemplates']>[number];
type ClaimView = DeepReadonly<PersistentVolumeClaim>;
type Reference = DeepReadonly<OwnerReference>;

export const claimNameOf = (set: StatefulSetView, { metadata }: Template, ordinal: number): string =>
  `${metadata?.name}-${podNameOf(set, ordinal)}`;

/** The sets of `sets` that a claim of this name may be of. */
export const setsWithClaim = (sets: readonly StatefulSetView[], claimName: string): StatefulSetView[] =>
  sets.filter(({ metadata, spec }) =>
    spec.volumeClaimTemplates?.some((template) => {
      const prefix = `${template.metadata?.name}-${metadata.name}-`;
      return claimName.startsWith(prefix) && /^[0-9]+$/.test(claimName.slice(prefix.length));
    }),
  );

const policyOf = ({ spec }: StatefulSetView) => spec.persistentVolumeClaimRetentionPolicy ?? {};

function newClaim(set: StatefulSetView, template: Template, name: string): ClaimView {
  const { labels, annotations } = template.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name,
      namespace: set.metadata.namespace,
      labels: { ...labels, ...set.spec.selector.matchLabels },
      annotations,
      ...(policyOf(set).whenDeleted === 'Delete' && { ownerReferences: [ownerReferenceTo(set, statefulSet)] }),
    },
    spec: template.spec ?? {},
  };
}

/** Makes the claims of an ordinal that are not there. */
export function missingClaims(set: StatefulSetView, ordinal: number, view: View): Command[] {
  const { namespace = '' } = set.metadata;
  return (set.spec.volumeClaimTemplates ?? []).flatMap((template): Command[] => {
    const name = claimNameOf(set, template, ordinal);
    if (view.get(persistentVolumeClaim, namespace, name)) return [];
    const object = newClaim(set, template, name);
    return [{ verb: 'create', kind: persistentVolumeClaim, namespace, name, object }];
  });
}

/** Names an owner, whether or not it is the one that has this name now. */
const refersTo =
  (kind: Kind, name: string | undefined) =>
  (reference: Reference): boolean =>
    reference.kind === kind.kind && reference.apiVersion === apiVersionOf(kind) && reference.name === name;

/**
 * The claim that keeps the pod of an ordinal from being made, since it is about to go: with the set's deletion policy a
 * claim belongs to the pod that was scaled away, and its data is not for the next one.
 */
export function departingClaim(set: StatefulSetView, ordinal: number, view: View): ClaimView | undefined {
  const { namespace = '' } = set.metadata;
  const formerPod = refersTo(podKind, podNameOf(set, ordinal));
  for (const template of set.spec.volumeClaimTemplates ?? []) {
    const claim = view.get(persistentVolumeClaim, namespace, claimNameOf(set, template, ordinal));
    if (!claim) continue;
    const isStale = policyOf(set).whenScaled === 'Delete' && claim.metadata.ownerReferences?.some(formerPod);
    if (claim.metadata.deletionTimestamp || isStale) return claim;
  }
  return undefined;
}

/** Who a claim goes with, by the set's policy. */
function ownerOf(set: StatefulSetView, pod: PodView, isCondemned: boolean): OwnerReference | undefined {
  const { whenDeleted, whenScaled } = policyOf(set);
  if (isCondemned && whenScaled === 'Delete') return ownerReferenceTo(pod, podKind);
  return whenDeleted === 'Delete' ? ownerReferenceTo(set, statefulSet) : undefined;
}

export interface ClaimOwnership {
  commands: Command[];
  /** Claims that somebody else controls, for which the policy does not count. */
  conflicting: string[];
}

/** Gives the claims of a pod the owner that the set's retention policy asks for. */
export function claimOwnership(
  set: StatefulSetView,
  pod: PodView,
  ordinal: number,
  isCondemned: boolean,
  view: View,
): ClaimOwnership {
  const result: ClaimOwnership = { commands: [], conflicting: [] };
  const { namespace = '' } = set.metadata;
  const [isSet, isPod] = [refersTo(statefulSet, set.metadata.name), refersTo(podKind, pod.metadata.name)];
  const isOurs = (reference: Reference): boolean => isSet(reference) || isPod(reference);
  const ourUids = new Set([set.metadata.uid, pod.metadata.uid]);
  for (const template of set.spec.volumeClaimTemplates ?? []) {
    const claim = view.get(persistentVolumeClaim, namespace, claimNameOf(set, template, ordinal));
    if (!claim) continue;
    const references = claim.metadata.ownerReferences ?? [];
    const ours = references.filter(isOurs);
    // What an earlier set or pod of the name left is not for this one to decide on.
    if (ours.some(({ uid }) => !ourUids.has(uid))) continue;
    const others = references.filter((reference) => !isOurs(reference));
    const isControlled = others.some(({ controller }) => controller);
    const wanted = isControlled ? undefined : ownerOf(set, pod, isCondemned);
    if (wanted ? ours.length === 1 && ours[0]?.uid === wanted.uid && ours[0]?.controller : ours.length === 0) continue;
    if (isControlled) result.conflicting.push(claim.metadata.name ?? '');
    result.commands.push({
      verb: 'patch',
      kind: persistentVolumeClaim,
      namespace,
      name: claim.metadata.name ?? '',
      ifUid: claim.metadata.uid,
      ifResourceVersion: claim.metadata.resourceVersion,
      type: 'merge',
      patch: { metadata: { ownerReferences: wanted ? [...others, wanted] : others.length > 0 ? others : null } },
    });
  }
  return result;
}
