import { annotationOf, persistentVolume, persistentVolumeClaim, VOLUME_ANNOTATION } from '@periplus/api';
import type { Command } from '@periplus/client';
import type { Plan } from '@periplus/reconcile';
import { setStatus } from '../status-change.ts';
import type { Claim, Volume } from './claim-index.ts';

/** Changes an object that is still as it was seen: two claims can't both take a volume, nor one claim two. */
const change = (object: Claim | Volume, patch: object): Command => ({
  verb: 'patch',
  kind: object.kind === 'PersistentVolume' ? persistentVolume : persistentVolumeClaim,
  namespace: object.metadata.namespace ?? '',
  name: object.metadata.name ?? '',
  ifUid: object.metadata.uid,
  ifResourceVersion: object.metadata.resourceVersion,
  type: 'merge',
  patch,
});

/** The volume takes the claim. Who had named it before the controller did is kept apart, for when they part. */
function takeClaim(volume: Volume, { apiVersion, kind, metadata }: Claim): Command[] {
  const { claimRef } = volume.spec;
  if (claimRef?.uid) return [];
  const { namespace, name, uid, resourceVersion } = metadata;
  const byController = { annotations: { [VOLUME_ANNOTATION.boundByController]: 'yes' } };
  const reference = { apiVersion, kind, namespace, name, uid, resourceVersion };
  return [change(volume, { ...(!claimRef && { metadata: byController }), spec: { claimRef: reference } })];
}

function nameVolume(claim: Claim, volume: Volume): Command[] {
  const isNamed = claim.spec.volumeName === volume.metadata.name;
  if (isNamed && annotationOf(claim, 'bindCompleted') !== undefined) return [];
  const annotations = {
    [VOLUME_ANNOTATION.bindCompleted]: 'yes',
    ...(!isNamed && { [VOLUME_ANNOTATION.boundByController]: 'yes' }),
  };
  return [change(claim, { metadata: { annotations }, spec: { volumeName: volume.metadata.name! } })];
}

/** The size of a volume that grows is told by who makes it grow. */
function boundStatus({ status }: Claim, { spec }: Volume): object {
  const capacity = status?.phase === 'Bound' && status.capacity ? status.capacity : { storage: spec.capacity?.storage };
  return { ...status, phase: 'Bound', accessModes: spec.accessModes, capacity };
}

/**
 * Makes the two one another's, or finishes that. The volume says so first: it is the volume that decides between claims.
 * https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding
 */
export const bind = (volume: Volume, claim: Claim): Plan => ({
  steps: [
    takeClaim(volume, claim),
    nameVolume(claim, volume),
    setStatus(persistentVolumeClaim as never, claim, boundStatus(claim, volume)),
  ].filter((step) => step.length > 0),
});

/** The volume lets its claim go: all of it, or just the uid where a user has named the claim. */
export function unbind(volume: Volume): Command {
  if (annotationOf(volume, 'boundByController') === undefined) {
    return change(volume, { spec: { claimRef: { uid: null, resourceVersion: null } } });
  }
  const annotations = { [VOLUME_ANNOTATION.boundByController]: null };
  return change(volume, { metadata: { annotations }, spec: { claimRef: null } });
}

export const annotate = (claim: Claim, annotations: Record<string, string | null>): Command =>
  change(claim, { metadata: { annotations } });

export const giveClass = (claim: Claim, storageClassName: string): Command =>
  change(claim, { spec: { storageClassName } });
