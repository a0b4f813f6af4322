import { claimNamesOf, type Pod, persistentVolumeClaim, pod, sameValue } from '@periplus/api';
import { conditionOf, type DeepReadonly, parseTime } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import type { Command } from '@periplus/client';
import type { Plan, PlannedEvent } from '@periplus/reconcile';
import { podTarget } from '../pod-commands.ts';
import { hasEnded, type PodView } from '../pod-state.ts';
import { unbind } from './bind.ts';
import type { Volume } from './claim-index.ts';
import { RECYCLER_NAMESPACE, type RecyclerSettings, recyclerName, recyclerPod } from './recycler-pod.ts';
import { enter } from './volume-phase.ts';

/** How long a volume that could not be emptied waits until that is tried again, and one that is in use is looked at. */
const RETRY_MS = 15_000;
const REASON = 'VolumeFailedRecycle';

const failed = (volume: Volume, view: View, message: string): Plan =>
  enter('Failed', volume, view, { reason: REASON, message });

/**
 * Empties a volume that was let go, by a pod, and makes it available again. The volume is Released meanwhile; it is
 * Failed for a while when that went wrong, and for good when nobody can do it.
 * https://kubernetes.io/docs/concepts/storage/persistent-volumes/#recycle
 */
export function recycle(volume: Volume, settings: RecyclerSettings, view: View): Plan {
  const wanted = recyclerPod(volume, settings);
  if (!wanted) return failed(volume, view, 'No recycler plugin found for the volume!');
  const { phase, lastPhaseTransitionTime } = volume.status ?? {};
  if (phase === 'Failed') {
    const leftMs = (parseTime(lastPhaseTransitionTime ?? '') ?? 0) + RETRY_MS - view.nowMs;
    if (leftMs > 0) return { steps: [], lookAgainMs: leftMs };
  }
  if (phase !== 'Released') return enter('Released', volume, view);
  const users = usersOf(volume, view);
  if (users.length > 0) {
    const message = `Volume is used by pods: ${users.join(',')}`;
    const events: PlannedEvent[] = [{ about: volume, type: 'Normal', reason: REASON, message }];
    return { steps: [], events, lookAgainMs: RETRY_MS };
  }
  const worker = view.get(pod, RECYCLER_NAMESPACE, recyclerName(volume.metadata.name ?? ''));
  if (!worker) return begin(volume, wanted);
  if (!hasEnded(worker)) return { steps: [], events: troubles(worker, volume) };
  return conclude(volume, worker, wanted, view);
}

/** Pods that still use the claim that has gone. Where there is another claim of that name, they use that one. */
function usersOf({ spec: { claimRef } }: Volume, view: View): string[] {
  const { namespace = '', name = '' } = claimRef ?? {};
  if (view.get(persistentVolumeClaim, namespace, name)) return [];
  return view
    .list(pod, namespace)
    .filter((one) => !hasEnded(one) && claimNamesOf(one).includes(name))
    .map(({ metadata }) => `${namespace}/${metadata.name}`);
}

function begin(about: Volume, wanted: Pod): Plan {
  const { namespace = '', name = '' } = wanted.metadata;
  const creation: Command = { verb: 'create', kind: pod, namespace, name, object: wanted };
  const message = 'Recycle failed: unexpected error creating recycler pod';
  return {
    steps: [[creation]],
    events: [{ about, type: 'Warning', reason: REASON, message, onRefusalOf: creation }],
  };
}

const deletion = (worker: PodView): Command => ({ ...podTarget(worker), verb: 'delete' });

/** The pod has ended: what that says about the volume. */
function conclude(volume: Volume, worker: PodView, wanted: Pod, view: View): Plan {
  const removal = worker.metadata.deletionTimestamp ? [] : [deletion(worker)];
  // One that emptied something else, or this volume before it was let go, proves nothing.
  if (!sameWork(worker, wanted) || isOlder(worker, volume, view)) return { steps: removal.length > 0 ? [removal] : [] };
  if (worker.status?.phase === 'Failed') {
    const why = worker.status.message || 'pod failed, pod.Status.Message unknown';
    const { steps, ...rest } = failed(volume, view, `Recycle failed: failed to recycle volume: ${why}`);
    return { steps: [removal, ...steps].filter((step) => step.length > 0), ...rest };
  }
  const events: PlannedEvent[] = [
    { about: volume, type: 'Normal', reason: 'VolumeRecycled', message: 'Volume recycled' },
  ];
  return { steps: [[unbind(volume)], removal].filter((step) => step.length > 0), events };
}

/** What a pod does, whatever admission has added to it. */
const workOf = ({ spec }: DeepReadonly<Pod>) => ({
  volumes: spec.volumes,
  initContainers: spec.initContainers,
  containers: spec.containers.map(({ image, command, args, env, envFrom, volumeMounts }) => ({
    ...{ image, command, args, env, envFrom, volumeMounts },
  })),
});

const sameWork = (one: PodView, wanted: Pod): boolean => sameValue(workOf(one), workOf(wanted));

/** Whether the pod is there since before the volume became what it is, which was its release. */
function isOlder({ metadata }: PodView, volume: Volume, view: View): boolean {
  const made = view.entry({ group: '', resource: 'pods', namespace: RECYCLER_NAMESPACE, name: metadata.name ?? '' });
  const changed = view.entry({
    ...{ group: '', resource: 'persistentvolumes', namespace: '', name: volume.metadata.name ?? '' },
  });
  return made === undefined || changed === undefined || made.createRevision <= changed.revision;
}

/** What keeps the pod from its work, told about the volume, where users look first. */
function troubles(worker: PodView, about: Volume): PlannedEvent[] {
  const { conditions, containerStatuses = [] } = worker.status ?? {};
  const scheduled = conditionOf(conditions, 'PodScheduled');
  const messages = [
    scheduled?.status === 'False' ? scheduled.message : undefined,
    ...containerStatuses.map(({ state }) => state?.waiting?.message),
  ];
  return messages.flatMap((message) =>
    message ? [{ about, type: 'Warning', reason: 'RecyclerPod', message: `Recycler pod: ${message}` }] : [],
  );
}
