import {
  isReservedFor,
  pod,
  resourceClaim,
  resourceClaimConflict,
  resourceClaimNameOf,
  resourceClaimTemplate,
} from '@periplus/api';
import type { View } from '@periplus/cache';
import type { Command } from '@periplus/client';
import {
  type Controller,
  defineController,
  idle,
  type ObjectRef,
  type PlannedEvent,
  watchRule,
} from '@periplus/reconcile';
import { patchPodStatus } from '../pod-commands.ts';
import type { PodView } from '../pod-state.ts';
import { claimMadeFor, creation } from './claim-of-template.ts';
import { type ClaimView, isDone, mayHaveClaims, podBehind } from './claims-of-pods.ts';

type ClaimEntry = NonNullable<PodView['spec']['resourceClaims']>[number];

/**
 * Pods of a namespace in whose JSON `text` stands. What asks is rare, so an index, which every pod would pay for, is
 * not worth it; nor are they parsed.
 */
const podsWith = (text: string, namespace: string, view: View): ObjectRef[] =>
  [...view.entries({ group: pod.group, resource: pod.plural }, namespace)]
    .filter(({ bytes }) => bytes.includes(text))
    .map(({ key: { name } }) => ({ namespace, name }));

/** Pods to which a claim matters: the one that it is or was made for, or those that waited for its allocation. */
function usersOf(now: ClaimView | null, old: ClaimView | null, view: View): ObjectRef[] {
  const { namespace = '', name = '' } = (now ?? old)!.metadata;
  const owners = [now, old].flatMap((claim) => (claim && podBehind(claim)) ?? []);
  if (owners.length > 0) return owners.map((owner) => ({ namespace, name: owner.name }));
  const isAllocated = now?.status?.allocation !== undefined && old?.status?.allocation === undefined;
  return isAllocated ? podsWith(`"resourceClaimName":${JSON.stringify(name)}`, namespace, view) : [];
}

/** Whether a claim has to be made for an entry. One that the status names may have gone, or be another's by now. */
function lacksClaim(one: PodView, entry: ClaimEntry, view: View): boolean {
  if (entry.resourceClaimTemplateName === undefined) return false;
  const name = resourceClaimNameOf(one, entry);
  if (name == null) return name === undefined;
  const claim = view.get(resourceClaim, one.metadata.namespace ?? '', name);
  return !claim || resourceClaimConflict(one.metadata, claim) !== undefined;
}

const failed = (about: PodView, { name }: ClaimEntry, why: string): PlannedEvent => ({
  ...{ about, type: 'Warning', reason: 'FailedResourceClaimCreation', message: `PodResourceClaim ${name}: ${why}` },
});

/** Reserves allocated claims for a pod that came to its node by another way than through the scheduler. */
function reservations(one: PodView, view: View): Command[] {
  const { namespace = '', name = '', uid = '' } = one.metadata;
  if (!one.spec.nodeName) return [];
  return (one.spec.resourceClaims ?? []).flatMap((entry): Command[] => {
    const claim = view.get(resourceClaim, namespace, resourceClaimNameOf(one, entry) ?? '');
    if (!claim?.status?.allocation || claim.metadata.deletionTimestamp || isReservedFor(claim, one)) return [];
    const { name: claimName = '', uid: ifUid, resourceVersion: ifResourceVersion } = claim.metadata;
    const reservedFor = [...(claim.status.reservedFor ?? []), { resource: 'pods', name, uid }];
    return [
      {
        ...{ verb: 'patch', type: 'merge', kind: resourceClaim as never, namespace, name: claimName },
        ...{ subresource: 'status', ifUid, ifResourceVersion, patch: { status: { reservedFor } } },
      },
    ];
  });
}

/**
 * Gives pods the claims that templates describe, and tells in their status which ones these are. The first entry that
 * can't be served holds up those behind it, as in Kubernetes.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#resourceclaims-templates
 */
export const podClaimController: Controller = defineController({
  name: 'pod-resource-claim',
  for: null,
  watches: [
    watchRule(
      pod,
      (now) => (now ? [{ namespace: now.metadata.namespace ?? '', name: now.metadata.name ?? '' }] : []),
      (change) => change.type !== 'deleted' && mayHaveClaims(change),
    ),
    watchRule(resourceClaim, usersOf),
    watchRule(
      resourceClaimTemplate,
      (now, _old, view) => {
        const { namespace = '', name = '' } = now!.metadata;
        return podsWith(`"resourceClaimTemplateName":${JSON.stringify(name)}`, namespace, view);
      },
      ({ type }) => type === 'added',
    ),
  ],
  reportsAs: 'resource_claim',
  reconcile({ namespace, name }, view) {
    const one = view.get(pod, namespace, name);
    if (!one || one.metadata.deletionTimestamp || isDone(one)) return idle;
    const created: Command[] = [];
    const events: PlannedEvent[] = [];
    const made: { name: string; resourceClaimName: string }[] = [];
    for (const entry of one.spec.resourceClaims ?? []) {
      if (!lacksClaim(one, entry, view)) continue;
      const found = claimMadeFor(one, entry.name, view);
      if (found) {
        made.push({ name: entry.name, resourceClaimName: found.metadata.name ?? '' });
        continue;
      }
      const templateName = entry.resourceClaimTemplateName ?? '';
      const template = view.get(resourceClaimTemplate, namespace, templateName);
      if (!template) {
        const why = `resourceclaimtemplate.resource.k8s.io "${templateName}" not found`;
        events.push(failed(one, entry, `resource claim template "${templateName}": ${why}`));
        return { steps: created.length > 0 ? [created] : [], events };
      }
      const command = creation(one, entry.name, template, view);
      created.push(command);
      events.push({ ...failed(one, entry, 'create ResourceClaim '), onRefusalOf: command });
      made.push({ name: entry.name, resourceClaimName: command.name });
    }
    const told = made.length > 0 ? [patchPodStatus(one, { resourceClaimStatuses: made })] : [];
    const steps = [created, told, reservations(one, view)];
    return { steps: steps.filter((step) => step.length > 0), events };
  },
});
