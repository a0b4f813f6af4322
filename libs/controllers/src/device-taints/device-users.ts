import { pod } from '@periplus/api';
import type { View } from '@periplus/cache';
import type { PodView } from '../pod-state.ts';
import { type ClaimView, isDone } from '../resource-claim/claims-of-pods.ts';

/** The pods on nodes that use what the claim was allocated, but for those that are leaving already. */
export function usersOf({ metadata, status }: ClaimView, view: View): PodView[] {
  return (status?.reservedFor ?? []).flatMap(({ apiGroup, resource, name, uid }) => {
    const found = apiGroup || resource !== 'pods' ? undefined : view.get(pod, metadata.namespace ?? '', name);
    const isThere = found?.metadata.uid === uid && found.spec.nodeName && !isDone(found);
    return isThere && !found.metadata.deletionTimestamp ? [found] : [];
  });
}
