/**
 * How pods live on nodes that run nothing: a list of stages, each with what it applies to, how long it waits and what it
 * makes of the pod. The first stage that applies is the next one; when none does, the pod stays as it is.
 * `testdata/` has a pair of files for each: a pod before, and what the stage does to it.
 */
import { timestamp } from '../pod/container-status.ts';
import { type Container, isSidecar, type Pod, type PodCondition, type PodStatus } from '../pod/pod-types.ts';

/** What a stage knows besides the pod. */
export interface StageContext {
  nowMs: number;
  hostAddress: string;
  podAddress: string;
}

export interface StageDelays {
  /** From bound to Running and Ready. */
  readyMs: number;
  /** From Running to Succeeded, for pods of Jobs and those with a deadline. */
  completeMs: number;
  /** From the request to delete to gone; never longer than the pod's grace period. */
  stopMs: number;
}

type StageEffect = { status: PodStatus } | 'remove';

export interface Stage {
  name: string;
  applies(pod: Pod): boolean;
  delay(pod: Pod, delays: StageDelays): number;
  effect(pod: Pod, context: StageContext): StageEffect;
}

/** Makes a simulated pod go wrong on purpose, for tests of what watches it. */
const OUTCOME_ANNOTATION = 'simulate.periplus.dev/outcome';

const outcomeOf = ({ metadata }: Pod): string | undefined => metadata.annotations?.[OUTCOME_ANNOTATION];
const isDeleted = ({ metadata }: Pod): boolean => metadata.deletionTimestamp !== undefined;
/** It outlives its containers: somebody waits for it to have ended before he lets it go. */
const isHeld = ({ metadata }: Pod): boolean => (metadata.finalizers ?? []).length > 0;
const hasEnded = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';
const isPending = ({ status }: Pod): boolean => (status?.phase ?? 'Pending') === 'Pending';
/** Those of Jobs, and others that run once and may not take for ever. */
const isToEnd = ({ metadata, spec }: Pod): boolean =>
  (spec.restartPolicy === 'Never' && spec.activeDeadlineSeconds !== undefined) ||
  (metadata.ownerReferences?.some(({ kind, controller }) => kind === 'Job' && controller) ?? false);
/** Its containers are, but its conditions say otherwise: somebody took the node for dead. */
const isTakenForUnready = ({ status }: Pod): boolean =>
  status?.phase === 'Running' &&
  (status.containerStatuses ?? []).every(({ ready }) => ready) &&
  status.conditions?.find(({ type }) => type === 'Ready')?.status === 'False';
const waitsForImage = ({ status }: Pod): boolean =>
  status?.containerStatuses?.some(({ state }) => state?.waiting?.reason === 'ErrImagePull') ?? false;

function conditions(pod: Pod, ready: boolean, reason: string | undefined, nowMs: number): PodCondition[] {
  const values: [string, boolean, string?][] = [
    ['PodReadyToStartContainers', true],
    ['Initialized', true],
    ['Ready', ready, reason],
    ['ContainersReady', ready, reason],
    ['PodScheduled', true],
  ];
  return values.map(([type, value, why]) => {
    const before = pod.status?.conditions?.find((condition) => condition.type === type);
    const status = value ? 'True' : 'False';
    const lastTransitionTime = (before?.status === status && before.lastTransitionTime) || timestamp(nowMs);
    return { type, status, ...(why && { reason: why }), lastTransitionTime };
  });
}

const imageOf = ({ image = '' }: Container): { image: string; imageID: string } => ({ image, imageID: '' });

function commonStatus(pod: Pod, { nowMs, hostAddress, podAddress }: StageContext): PodStatus {
  const address = pod.spec.hostNetwork ? hostAddress : podAddress;
  return {
    hostIP: hostAddress,
    hostIPs: [{ ip: hostAddress }],
    podIP: address,
    podIPs: [{ ip: address }],
    startTime: pod.status?.startTime ?? timestamp(nowMs),
  };
}

function runningStatus(pod: Pod, context: StageContext): PodStatus {
  const startedAt = timestamp(context.nowMs);
  const { initContainers = [], containers } = pod.spec;
  return {
    phase: 'Running',
    ...commonStatus(pod, context),
    conditions: conditions(pod, true, undefined, context.nowMs),
    ...(initContainers.length > 0 && {
      initContainerStatuses: initContainers.map((container) => ({
        ...{ name: container.name, ...imageOf(container), ready: true, restartCount: 0 },
        state: isSidecar(container)
          ? { running: { startedAt } }
          : { terminated: { exitCode: 0, reason: 'Completed', startedAt, finishedAt: startedAt } },
        started: isSidecar(container),
      })),
    }),
    containerStatuses: containers.map((container) => ({
      ...{ name: container.name, ...imageOf(container), ready: true, restartCount: 0, started: true },
      state: { running: { startedAt } },
    })),
  };
}

function endedStatus(pod: Pod, context: StageContext, exitCode: number): PodStatus {
  const finishedAt = timestamp(context.nowMs);
  const reason = exitCode === 0 ? 'Completed' : 'Error';
  return {
    phase: exitCode === 0 ? 'Succeeded' : 'Failed',
    ...commonStatus(pod, context),
    conditions: conditions(pod, false, exitCode === 0 ? 'PodCompleted' : 'PodFailed', context.nowMs),
    containerStatuses: pod.spec.containers.map((container, i) => {
      const state = pod.status?.containerStatuses?.[i]?.state;
      const startedAt = state?.running?.startedAt ?? finishedAt;
      return {
        ...{ name: container.name, ...imageOf(container), ready: false, restartCount: 0, started: false },
        state: { terminated: { exitCode, reason, startedAt, finishedAt } },
      };
    }),
  };
}

function imageErrorStatus(pod: Pod, context: StageContext): PodStatus {
  return {
    phase: 'Pending',
    ...commonStatus(pod, context),
    conditions: conditions(pod, false, 'ContainersNotReady', context.nowMs),
    containerStatuses: pod.spec.containers.map((container) => ({
      ...{ name: container.name, ...imageOf(container), ready: false, restartCount: 0, started: false },
      state: { waiting: { reason: 'ErrImagePull', message: 'simulated: the image can not be pulled' } },
    })),
  };
}

const stopDelay: Stage['delay'] = ({ metadata }, { stopMs }) =>
  Math.min(stopMs, (metadata.deletionGracePeriodSeconds ?? 30) * 1_000);

/** Of a process that SIGTERM has ended. */
const TERMINATED_EXIT_CODE = 143;

/** In the order in which they are tried. */
export const STAGES: readonly Stage[] = [
  {
    name: 'pod-end',
    applies: (pod) => isDeleted(pod) && isHeld(pod) && !hasEnded(pod),
    delay: stopDelay,
    effect: (pod, context) => ({ status: endedStatus(pod, context, TERMINATED_EXIT_CODE) }),
  },
  {
    name: 'pod-remove',
    applies: isDeleted,
    delay: stopDelay,
    effect: () => 'remove',
  },
  {
    name: 'pod-image-error',
    applies: (pod) => isPending(pod) && outcomeOf(pod) === 'image-error' && !waitsForImage(pod),
    delay: (_, { readyMs }) => readyMs,
    effect: (pod, context) => ({ status: imageErrorStatus(pod, context) }),
  },
  {
    name: 'pod-ready',
    applies: (pod) => isPending(pod) && outcomeOf(pod) !== 'image-error' && outcomeOf(pod) !== 'pending',
    delay: (_, { readyMs }) => readyMs,
    effect: (pod, context) => ({ status: runningStatus(pod, context) }),
  },
  {
    name: 'pod-ready-again',
    applies: isTakenForUnready,
    delay: (_, { readyMs }) => readyMs,
    effect: (pod, { nowMs }) => ({ status: { conditions: conditions(pod, true, undefined, nowMs) } }),
  },
  {
    name: 'pod-fail',
    applies: (pod) =>
      pod.status?.phase === 'Running' && outcomeOf(pod) === 'fail' && pod.spec.restartPolicy !== 'Always',
    delay: (_, { completeMs }) => completeMs,
    effect: (pod, context) => ({ status: endedStatus(pod, context, 1) }),
  },
  {
    name: 'pod-complete',
    applies: (pod) => pod.status?.phase === 'Running' && isToEnd(pod) && outcomeOf(pod) !== 'fail',
    delay: (_, { completeMs }) => completeMs,
    effect: (pod, context) => ({ status: endedStatus(pod, context, 0) }),
  },
];

export const nextStage = (pod: Pod): Stage | undefined => STAGES.find((stage) => stage.applies(pod));
