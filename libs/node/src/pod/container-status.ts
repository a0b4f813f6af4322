import { shortDuration } from './crash-backoff.ts';
import type { PodInput } from './decide-pod.ts';
import type { ContainerFacts } from './pod-runtime.ts';
import {
  type Container,
  type ContainerState,
  type ContainerStateTerminated,
  type ContainerStatusOfPod,
  describePod,
  isSidecar,
} from './pod-types.ts';

/** Seconds since the epoch as Kubernetes writes times. */
export const timestamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
const containerId = (id: string): string => `containerd://${id}`;

const EMPTY: ContainerState = {};

/** What `kubectl` shows of one container. `waitingFor` is why it has not been started when nothing else explains it. */
export function containerStatus(
  input: PodInput,
  container: Container,
  kind: 'init' | 'main',
  waitingFor: string,
): ContainerStatusOfPod {
  const { memory, pod } = input;
  const all = input.runtime.containers.filter(({ name }) => name === container.name);
  const told = (kind === 'init' ? pod.status?.initContainerStatuses : pod.status?.containerStatuses)?.find(
    ({ name }) => name === container.name,
  );
  const newest = all[0];
  if (!newest) return absent(input, container, told, waitingFor);
  const { state, lastState } = statesOf(input, container, kind, newest, all[1], told, waitingFor);
  const probes = memory.probes(newest.id);
  const isUp = newest.state === 'running' && !memory.starting.has(container.name);
  const completed = kind === 'init' && !isSidecar(container) && newest.state === 'exited' && newest.exitCode === 0;
  return {
    name: container.name,
    state,
    lastState,
    ready: completed || (isUp && probes.started && probes.ready),
    restartCount: newest.attempt,
    image: container.image ?? newest.image,
    imageID: newest.imageRef,
    containerID: containerId(newest.id),
    started: isUp && (kind === 'main' || isSidecar(container)) && probes.started,
    ...resourcesOf(container),
    ...mountsOf(container),
  };
}

function absent(
  { pod, memory }: PodInput,
  container: Container,
  told: ContainerStatusOfPod | undefined,
  waitingFor: string,
): ContainerStatusOfPod {
  const failure = memory.startFailures.get(container.name);
  const isOver = pod.metadata.deletionTimestamp !== undefined || isTerminal(pod.status?.phase);
  const lost = told?.state?.running ? { terminated: lostState(told) } : undefined;
  const before = told?.state?.terminated ? told.state : (lost ?? told?.lastState ?? EMPTY);
  if (isOver && told?.containerID) {
    return { ...told, state: before, ready: told.state?.terminated ? told.ready : false, started: false };
  }
  const waiting = failure
    ? { reason: failure.reason, ...(failure.message && { message: failure.message }) }
    : { reason: waitingFor };
  return {
    name: container.name,
    state: { waiting },
    lastState: before,
    ready: false,
    restartCount: told?.restartCount ?? 0,
    image: container.image ?? '',
    imageID: told?.imageID ?? '',
    ...(told?.containerID && { containerID: told.containerID }),
    started: false,
    ...resourcesOf(container),
    ...mountsOf(container),
  };
}

const isTerminal = (phase: string | undefined): boolean => phase === 'Succeeded' || phase === 'Failed';

/** Its record is gone from the runtime though it was running when it was last told of. */
const lostState = (told: ContainerStatusOfPod): ContainerStateTerminated => ({
  exitCode: 137,
  reason: 'ContainerStatusUnknown',
  message: 'The container could not be located when the pod was deleted.  The container used to be Running',
  ...(told.containerID && { containerID: told.containerID }),
  ...(told.state?.running?.startedAt && { startedAt: told.state.running.startedAt }),
});

function statesOf(
  input: PodInput,
  container: Container,
  kind: 'init' | 'main',
  newest: ContainerFacts,
  previous: ContainerFacts | undefined,
  told: ContainerStatusOfPod | undefined,
  waitingFor: string,
): { state: ContainerState; lastState: ContainerState } {
  const before =
    previous?.state === 'exited' ? { terminated: terminatedState(input, previous) } : (told?.lastState ?? EMPTY);
  const failure = input.memory.startFailures.get(container.name);
  switch (newest.state) {
    case 'running':
      return { state: { running: { startedAt: timestamp(newest.startedAtMs) } }, lastState: before };
    case 'exited': {
      const ended = { terminated: terminatedState(input, newest) };
      const waiting = failure ?? waitingToRestart(input, container, kind, newest);
      if (!waiting) return { state: ended, lastState: before };
      return { state: { waiting: { reason: waiting.reason, message: waiting.message } }, lastState: ended };
    }
    default: {
      const waiting = failure ? { reason: failure.reason, message: failure.message } : { reason: waitingFor };
      return { state: { waiting }, lastState: before };
    }
  }
}

function waitingToRestart(
  { pod, memory, nowMs }: PodInput,
  container: Container,
  kind: 'init' | 'main',
  ended: ContainerFacts,
): { reason: string; message: string } | undefined {
  if (pod.metadata.deletionTimestamp || isTerminal(pod.status?.phase)) return undefined;
  const { restartPolicy = 'Always' } = pod.spec;
  const restarts = isSidecar(container)
    ? true
    : restartPolicy === 'Never'
      ? false
      : restartPolicy === 'Always' && kind === 'main'
        ? true
        : ended.exitCode !== 0;
  const againMs = restarts ? memory.retryAt(container.name, ended.finishedAtMs) : undefined;
  if (againMs === undefined || againMs <= nowMs) return undefined;
  const delay = shortDuration(memory.backoffMs(container.name));
  return {
    reason: 'CrashLoopBackOff',
    message: `back-off ${delay} restarting failed container=${container.name} pod=${describePod(pod)}`,
  };
}

function terminatedState({ memory }: PodInput, ended: ContainerFacts): ContainerStateTerminated {
  const message = memory.terminationMessage(ended.id) || (ended.reason === 'StartError' ? ended.message : '');
  return {
    exitCode: ended.exitCode,
    reason: ended.reason || (ended.exitCode === 0 ? 'Completed' : 'Error'),
    ...(message && { message }),
    startedAt: timestamp(ended.startedAtMs),
    finishedAt: timestamp(ended.finishedAtMs),
    containerID: containerId(ended.id),
  };
}

function resourcesOf({ resources }: Container): Partial<ContainerStatusOfPod> {
  if (!resources?.limits && !resources?.requests) return { resources: {} };
  const { limits, requests } = resources;
  return {
    ...(requests && { allocatedResources: requests }),
    resources: { ...(limits && { limits }), ...(requests && { requests }) },
  };
}

const mountsOf = ({ volumeMounts = [] }: Container): Partial<ContainerStatusOfPod> =>
  volumeMounts.length === 0
    ? {}
    : {
        volumeMounts: volumeMounts.map(({ mountPath, name, readOnly }) => ({
          mountPath,
          name,
          ...(readOnly && { readOnly, recursiveReadOnly: 'Disabled' }),
        })),
      };
