import { claimConflict, claimNameOf, type PersistentVolumeClaim, persistentVolumeClaim, pod } from '@periplus/api';
import { type DeepReadonly, ownerReferenceTo } from '@periplus/apimachinery';
import type { Command } from '@periplus/client';
import {
  type Controller,
  defineController,
  idle,
  mentions,
  type ObjectRef,
  type PlannedEvent,
  watchRule,
} from '@periplus/reconcile';
import type { PodView } from '../pod-state.ts';

type Volume = NonNullable<PodView['spec']['volumes']>[number];

const isEphemeral = ({ ephemeral }: Volume): boolean => ephemeral !== undefined;

/** A claim is named after its pod and the volume, with a hyphen between them, and either may have hyphens itself. */
function podsPerhapsNamedBy({ metadata }: DeepReadonly<PersistentVolumeClaim>): ObjectRef[] {
  const { namespace = '', name = '' } = metadata;
  return [...name.matchAll(/-/g)].map(({ index }) => ({ namespace, name: name.slice(0, index) }));
}

/**
 * Makes the claims behind the ephemeral volumes of pods, which go with their pods. Where a claim of the name is there
 * that is not the pod's, the pod waits until it is gone.
 * https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/#generic-ephemeral-volumes
 */
export const ephemeralVolumeController: Controller = defineController({
  name: 'ephemeral-volume',
  for: null,
  watches: [
    // The volumes of a pod never change.
    watchRule(
      pod,
      (now) =>
        now?.spec.volumes?.some(isEphemeral)
          ? [{ namespace: now.metadata.namespace ?? '', name: now.metadata.name ?? '' }]
          : [],
      (change) => change.type === 'added' && mentions(change, '"ephemeral"'),
    ),
    watchRule(
      persistentVolumeClaim,
      (_now, old) => (old ? podsPerhapsNamedBy(old) : []),
      ({ type }) => type === 'deleted',
    ),
  ],
  reportsAs: 'ephemeral_volume',
  reconcile({ namespace, name }, view) {
    const one = view.get(pod, namespace, name);
    if (!one || one.metadata.deletionTimestamp) return idle;
    const commands: Command[] = [];
    const events: PlannedEvent[] = [];
    for (const volume of (one.spec.volumes ?? []).filter(isEphemeral)) {
      const claim = view.get(persistentVolumeClaim, namespace, claimNameOf(one, volume)!);
      const conflict = claim && claimConflict(one.metadata, claim);
      if (conflict !== undefined) events.push(failed(one, volume, conflict));
      if (claim) continue;
      const command = creation(one, volume);
      commands.push(command);
      events.push({ ...failed(one, volume, `create PVC ${command.name}`), onRefusalOf: command });
    }
    return { steps: commands.length > 0 ? [commands] : [], events };
  },
});

const failed = (about: PodView, { name }: Volume, why: string): PlannedEvent => ({
  ...{ about, type: 'Warning', reason: 'FailedBinding', message: `ephemeral volume ${name}: ${why}` },
});

function creation(owner: PodView, volume: Volume): Command {
  const { namespace = '' } = owner.metadata;
  const name = claimNameOf(owner, volume)!;
  const { metadata: { labels, annotations } = {}, spec } = volume.ephemeral!.volumeClaimTemplate!;
  const metadata = { namespace, name, labels, annotations, ownerReferences: [ownerReferenceTo(owner, pod)] };
  const object = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec };
  return { verb: 'create', kind: persistentVolumeClaim, namespace, name, object };
}
