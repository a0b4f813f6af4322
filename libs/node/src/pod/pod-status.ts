/** The status of a pod as the agent reports it: a pure function, in the words of the kubelet. */
import { containerStatus, timestamp } from './container-status.ts';
import type { PodInput } from './decide-pod.ts';
import { isAlive, readySandbox } from './pod-runtime.ts';
import { type ContainerStatusOfPod, isSidecar, type Pod, type PodCondition, type PodStatus } from './pod-types.ts';

type Phase = NonNullable<PodStatus['phase']>;

export const isFinished = (phase: string | undefined): boolean => phase === 'Succeeded' || phase === 'Failed';

/** Why a pod is over without its containers saying so: `spec.activeDeadlineSeconds`. */
export interface Verdict {
  phase: 'Failed';
  reason: string;
  message: string;
}

/** When the pod's time is up, or null when it has no limit. */
export function deadlineMs({ spec, status }: Pod): number | null {
  if (spec.activeDeadlineSeconds === undefined || !status?.startTime) return null;
  return Date.parse(status.startTime) + spec.activeDeadlineSeconds * 1_000;
}

export const DEADLINE_EXCEEDED: Verdict = {
  phase: 'Failed',
  reason: 'DeadlineExceeded',
  message: 'Pod was active on the node longer than the specified deadline',
};

export interface Report {
  /** The whole status, to be sent when it differs from the one of the object. */
  status: PodStatus;
  /** The pod has come to its end: what still runs in it has to be stopped. */
  isOver: boolean;
}

/**
 * What to tell of a pod. A phase that is final is told only once nothing runs any more, and stays.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
 */
export function reportPod(input: PodInput, verdict: Verdict | null = null): Report {
  const { pod, runtime, memory, nowMs } = input;
  const { spec } = pod;
  const inits = spec.initContainers ?? [];
  const initStatuses = inits.map((container) => containerStatus(input, container, 'init', 'PodInitializing'));
  const initialized = isInitialized(pod, initStatuses, input);
  const waitingFor = inits.length > 0 && !initialized ? 'PodInitializing' : 'ContainerCreating';
  const mains = spec.containers.map((container) => containerStatus(input, container, 'main', waitingFor));
  const told = pod.status;
  const due = isFinished(told?.phase) ? told!.phase! : (verdict?.phase ?? phaseOf(pod, initStatuses, mains));
  const isOver = isFinished(due);
  const waits = isOver && !isFinished(told?.phase) && runtime.containers.some(isAlive);
  const phase = waits ? 'Running' : due;
  const reason = waits ? undefined : (verdict?.reason ?? told?.reason);
  const message = waits ? undefined : (verdict?.message ?? told?.message);
  const addresses = spec.hostNetwork ? memory.hostAddresses : runtime.addresses;
  const shownAddresses = addresses.length > 0 ? addresses : (told?.podIPs?.map(({ ip }) => ip) ?? []);
  const status: PodStatus = {
    ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
    phase,
    ...(reason && { reason }),
    ...(message && { message }),
    hostIP: memory.hostAddresses[0] ?? '',
    hostIPs: memory.hostAddresses.map((ip) => ({ ip })),
    ...(shownAddresses.length > 0 && {
      podIP: shownAddresses[0],
      podIPs: shownAddresses.map((ip) => ({ ip })),
    }),
    startTime: told?.startTime ?? timestamp(nowMs),
    ...(inits.length > 0 && { initContainerStatuses: initStatuses }),
    containerStatuses: mains,
  };
  status.conditions = conditionsOf(input, status, initialized, initStatuses);
  return { status, isOver };
}

/** All regular init containers have succeeded and all sidecars have started, or main containers exist already. */
function isInitialized(pod: Pod, statuses: readonly ContainerStatusOfPod[], { runtime }: PodInput): boolean {
  const mains = new Set(pod.spec.containers.map(({ name }) => name));
  if (runtime.containers.some(({ name }) => mains.has(name))) return true;
  return (pod.spec.initContainers ?? []).every((container, i) => {
    const status = statuses[i]!;
    return isSidecar(container) ? status.started === true : status.state?.terminated?.exitCode === 0;
  });
}

function phaseOf(pod: Pod, inits: readonly ContainerStatusOfPod[], mains: readonly ContainerStatusOfPod[]): Phase {
  const { restartPolicy = 'Always', initContainers = [] } = pod.spec;
  let pendingInit = 0;
  for (const [i, container] of initContainers.entries()) {
    const { state, lastState, started } = inits[i]!;
    if (isSidecar(container)) {
      if (!started && !mains.some((main) => main.state?.running || main.state?.terminated)) pendingInit += 1;
      continue;
    }
    const failed = state?.terminated ? state.terminated.exitCode !== 0 : (lastState?.terminated?.exitCode ?? 0) !== 0;
    if (failed && restartPolicy === 'Never') return 'Failed';
    if (state?.terminated?.exitCode !== 0) pendingInit += 1;
  }
  const count = { waiting: 0, running: 0, stopped: 0, succeeded: 0 };
  for (const { state, lastState } of mains) {
    if (state?.running) count.running += 1;
    else if (state?.terminated) {
      count.stopped += 1;
      if (state.terminated.exitCode === 0) count.succeeded += 1;
    } else if (lastState?.terminated) count.stopped += 1;
    else count.waiting += 1;
  }
  // A pod that was told to end is over once its containers are, whatever it would be restarted for.
  if (pod.metadata.deletionTimestamp && count.running === 0 && count.stopped > 0 && count.waiting === 0) {
    return count.stopped === count.succeeded ? 'Succeeded' : 'Failed';
  }
  const begun = count.running + count.stopped > 0;
  if (count.waiting > 0 || (pendingInit > 0 && !begun)) return 'Pending';
  if (count.running > 0 || restartPolicy === 'Always') return 'Running';
  if (count.stopped === count.succeeded) return 'Succeeded';
  return restartPolicy === 'Never' ? 'Failed' : 'Running';
}

interface Judgement {
  status: 'True' | 'False';
  reason?: string;
  message?: string;
}

function readiness(phase: Phase, statuses: readonly ContainerStatusOfPod[]): Judgement {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  const unready = statuses.filter(({ ready }) => !ready).map(({ name }) => name);
  if (unready.length === 0) return { status: 'True' };
  return {
    status: 'False',
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${unready.join(' ')}]`,
  };
}

function initialization(
  phase: Phase,
  initialized: boolean,
  pod: Pod,
  inits: readonly ContainerStatusOfPod[],
): Judgement {
  if (phase === 'Succeeded') return { status: 'True', reason: 'PodCompleted' };
  if (initialized) return { status: 'True' };
  const incomplete = (pod.spec.initContainers ?? [])
    .filter((container, i) => !(isSidecar(container) ? inits[i]!.started : inits[i]!.ready))
    .map(({ name }) => name);
  return {
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${incomplete.join(' ')}]`,
  };
}

/** Readiness gates: conditions that others have to set before the pod counts as ready. */
function gated(pod: Pod, containers: Judgement): Judgement {
  if (containers.status === 'False') return containers;
  const held = (pod.spec.readinessGates ?? []).filter(
    (gate) => pod.status?.conditions?.find(({ type }) => type === gate.conditionType)?.status !== 'True',
  );
  if (held.length === 0) return containers;
  const messages = held.map(({ conditionType }) => {
    const exists = pod.status?.conditions?.some(({ type }) => type === conditionType);
    return exists
      ? `the status of pod readiness gate "${conditionType}" is not "True", but False`
      : `corresponding condition of pod readiness gate "${conditionType}" does not exist.`;
  });
  return { status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') };
}

/** The agent's own conditions; those that others have set are not its business. */
function conditionsOf(
  { pod, runtime, nowMs }: PodInput,
  status: PodStatus,
  initialized: boolean,
  inits: readonly ContainerStatusOfPod[],
): PodCondition[] {
  const phase = status.phase!;
  const sidecars = inits.filter((_, i) => isSidecar(pod.spec.initContainers![i]!));
  const containers = readiness(phase, [...sidecars, ...(status.containerStatuses ?? [])]);
  const sandboxUp = readySandbox(runtime) && (pod.spec.hostNetwork || runtime.addresses.length > 0);
  const judgements: Record<string, Judgement> = {
    PodReadyToStartContainers: { status: sandboxUp ? 'True' : 'False' },
    Initialized: initialization(phase, initialized, pod, inits),
    Ready: gated(pod, containers),
    ContainersReady: containers,
    PodScheduled: { status: 'True' },
  };
  return Object.entries(judgements).map(([type, judgement]): PodCondition => {
    const before = pod.status?.conditions?.find((condition) => condition.type === type);
    const since = before?.status === judgement.status ? before.lastTransitionTime : undefined;
    return {
      type,
      ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
      status: judgement.status,
      ...(judgement.reason && { reason: judgement.reason }),
      ...(judgement.message && { message: judgement.message }),
      lastTransitionTime: since ?? timestamp(nowMs),
    };
  });
}
