import { type Pod, pod } from '@periplus/api';
import { parseTime } from '@periplus/apimachinery';
import type { Index } from '@periplus/cache';
import type { Command } from '@periplus/client';
import { type Controller, defineController, idle, mentions, watchRule } from '@periplus/reconcile';
import { podTarget } from '../pod-commands.ts';
import { hasEnded, type PodView } from '../pod-state.ts';

const PHASES = ['Succeeded', 'Failed'];
const inPhase = (phase: string): string => `"phase":"${phase}"`;
/** Pods that one plan removes at most. */
const REMOVED_MAX = 500;
/** As often they are counted while pods end, as in Kubernetes. */
const REST_MS = 20_000;
/** There is one key: all pods that have ended. */
const ALL = { namespace: '', name: '' };

const endedPods: Index<Pod> = {
  name: 'ended-pods',
  kind: pod,
  keys: ({ status }) => (status?.phase ? [status.phase] : []),
  candidates: (entry) => PHASES.filter((phase) => entry.mentions(inPhase(phase))),
};

const isEvicted = ({ status }: PodView): boolean => status?.reason === 'Evicted';
const createdMs = ({ metadata }: PodView): number => parseTime(metadata.creationTimestamp ?? '') ?? 0;

/**
 * Removes pods that have ended when there are more than `keptMax`: those that were evicted first, then the oldest.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-garbage-collection
 */
export const endedPodController = (keptMax: number): Controller =>
  defineController({
    name: 'ended-pods',
    for: null,
    restMs: REST_MS,
    watches: [
      watchRule(
        pod,
        (now, old) => (now && hasEnded(now) && !(old && hasEnded(old)) ? [ALL] : []),
        (change) => mentions(change, ...PHASES.map(inPhase)),
      ),
    ],
    indexes: [endedPods],
    reconcile(_ref, view) {
      const ended = PHASES.flatMap((phase) => view.index(endedPods, phase)).filter(
        ({ metadata }) => !metadata.deletionTimestamp,
      );
      const surplus = ended.length - keptMax;
      if (surplus <= 0) return idle;
      ended.sort((a, b) => Number(isEvicted(b)) - Number(isEvicted(a)) || createdMs(a) - createdMs(b));
      const removals = ended
        .slice(0, Math.min(surplus, REMOVED_MAX))
        .map((one): Command => ({ ...podTarget(one), verb: 'delete', gracePeriodSeconds: 0 }));
      return { steps: [removals], ...(surplus > REMOVED_MAX && { lookAgainMs: REST_MS }) };
    },
  });
