import { randomUUID } from 'node:crypto';
import { badRequest, type DeepReadonly, formatTime, type KubeObject, type ObjectMeta } from '@periplus/apimachinery';
import type { Target } from '../types.ts';

/** What clients send back although only servers ever wrote it. */
function dropUntracked(metadata: ObjectMeta): void {
  delete (metadata as { selfLink?: string }).selfLink;
}

/** The namespace of the request is the object's; it may leave it out but not contradict it. */
export function settleNamespace(metadata: ObjectMeta, target: Target): void {
  if (target.namespace === '') delete metadata.namespace;
  else if (!metadata.namespace) metadata.namespace = target.namespace;
  else if (metadata.namespace !== target.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
}

/** Keeps one of owners that are the same in everything, and warns of the others. */
export function dropRepeatedOwners({ metadata }: KubeObject, warnings: string[]): void {
  const { ownerReferences: owners } = metadata;
  if (!owners || owners.length < 2) return;
  const different = new Map<string, (typeof owners)[number]>();
  const repeated = new Set<string>();
  for (const owner of owners) {
    const { apiVersion, kind, name, uid, controller, blockOwnerDeletion } = owner;
    const all = JSON.stringify([apiVersion, kind, name, uid, controller, blockOwnerDeletion]);
    if (different.has(all)) repeated.add(uid);
    else different.set(all, owner);
  }
  if (repeated.size === 0) return;
  metadata.ownerReferences = [...different.values()];
  const why =
    'API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests';
  const uids = [...repeated].join(' ');
  warnings.push(`.metadata.ownerReferences contains duplicate entries; ${why}; duplicate UID(s) observed: [${uids}]`);
}

/** What the server alone says about a new object. */
export function fillNewMetadata({ metadata }: KubeObject, nowMs: number): void {
  dropUntracked(metadata);
  delete metadata.resourceVersion;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  metadata.uid = randomUUID();
  metadata.creationTimestamp = formatTime(nowMs);
}

/** Throws BadRequest when the object of an update is not the one that the request names. */
export function checkNamedAs({ metadata }: KubeObject, target: Target): void {
  if (!metadata.name) {
    throw badRequest(`the name of the object (${target.name} based on URL) was undeterminable: name must be provided`);
  }
  if (metadata.name !== target.name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${target.name})`);
  }
  settleNamespace(metadata, target);
}

/** What an update may leave out and cannot change. What it must not change is left for validation to refuse. */
export function keepServerMetadata(object: KubeObject, old: DeepReadonly<KubeObject>): void {
  const { metadata } = object;
  const before = old.metadata;
  dropUntracked(metadata);
  metadata.uid ||= before.uid;
  if (before.creationTimestamp !== undefined) metadata.creationTimestamp = before.creationTimestamp;
  else delete metadata.creationTimestamp;
  if (before.generation !== undefined) metadata.generation = before.generation;
  else delete metadata.generation;
  if (before.deletionTimestamp !== undefined) {
    metadata.deletionTimestamp = before.deletionTimestamp;
    metadata.deletionGracePeriodSeconds ??= before.deletionGracePeriodSeconds;
  } else {
    delete metadata.deletionTimestamp;
    delete metadata.deletionGracePeriodSeconds;
  }
  if (before.generateName !== undefined) metadata.generateName ??= before.generateName;
}
