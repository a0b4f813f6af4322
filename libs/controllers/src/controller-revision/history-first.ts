import { controllerRevision, type Pod } from '@periplus/api';
import type { View } from '@periplus/cache';
import type { Command } from '@periplus/client';
import type { Plan } from '@periplus/reconcile';
import { orphanRevisions } from '../orphans.ts';
import { type Claim, claim } from '../ownership.ts';
import { setStatus } from '../status-change.ts';
import { type History, type HistoryOwner, planHistory } from './revision-history.ts';

/**
 * Brings the history of `owner` up to date, and plans its pods once that is done: it is what they are compared with.
 * `planPods` gets the commands that come before its own.
 */
export function historyFirst(
  owner: HistoryOwner,
  pods: Claim<Pod>,
  view: View,
  planPods: (first: readonly Command[], history: History) => Plan,
): Plan {
  const { namespace = '', uid = '' } = owner.object.metadata;
  const revisions = claim(owner, controllerRevision, [
    ...view.owned(controllerRevision, uid),
    ...view.index(orphanRevisions, namespace),
  ]);
  const history = planHistory(owner, revisions.claimed, pods.claimed, view);
  if (history === 'collision') return { steps: [countCollision(owner)] };
  const first = [...pods.commands, ...revisions.commands, ...history.commands];
  return history.commands.length > 0 ? { steps: [first] } : planPods(first, history);
}

/** Another name is made of the count. The next reconcile uses it. */
const countCollision = ({ kind, object }: HistoryOwner): Command[] =>
  setStatus(kind, object, { ...object.status, collisionCount: (object.status?.collisionCount ?? 0) + 1 });
