import { pod } from '@periplus/api';
import { formatTime } from '@periplus/apimachinery';
import type { Command } from '@periplus/client';
import type { PodView } from './pod-state.ts';

/** Where a command about a pod goes: to this one, not to another of its name. */
export const podTarget = ({ metadata }: PodView) => ({
  kind: pod,
  namespace: metadata.namespace ?? '',
  name: metadata.name ?? '',
  ifUid: metadata.uid,
});

export const patchPodStatus = (target: PodView, status: object): Command => ({
  ...podTarget(target),
  ...{ verb: 'patch', subresource: 'status', type: 'strategic', patch: { status } },
});

/** The condition that says that a pod ends for no fault of its own. https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions */
export const disruption = ({ metadata: { generation } }: PodView, reason: string, message: string, nowMs: number) => ({
  ...{ type: 'DisruptionTarget', status: 'True', reason, message, lastTransitionTime: formatTime(nowMs) },
  ...(generation !== undefined && { observedGeneration: generation }),
});
