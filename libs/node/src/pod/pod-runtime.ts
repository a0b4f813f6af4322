import type { ContainerEntry, ContainerStatus, Sandbox } from '@periplus/cri';

/** A container of a pod with all that the runtime knows of it. */
export interface ContainerFacts
  extends ContainerEntry,
    Pick<ContainerStatus, 'startedAtMs' | 'finishedAtMs' | 'exitCode' | 'reason' | 'message' | 'logPath'> {}

/** What the runtime has of one pod. */
export interface PodRuntime {
  /** Newest first. */
  readonly sandboxes: readonly Sandbox[];
  /** Of the newest sandbox, when it is ready; the first one is the pod's. */
  readonly addresses: readonly string[];
  /** Newest first. */
  readonly containers: readonly ContainerFacts[];
}

/** How the probes of one container stand. */
export interface ProbeState {
  /** Its startup probe has succeeded, or it has none. */
  readonly started: boolean;
  /** Its readiness probe succeeds, or it has none and has started. */
  readonly ready: boolean;
  /** Which probe wants it restarted. */
  readonly failed: 'liveness' | 'startup' | null;
}

/** Why a container can't be started at the moment. */
export interface StartFailure {
  /** As in `state.waiting.reason`: ErrImagePull, CreateContainerConfigError, ... */
  readonly reason: string;
  readonly message: string;
  readonly retryAtMs: number;
}

/** What the agent knows of a pod besides the runtime. Lost when the agent ends, and made anew from what is found. */
export interface PodMemory {
  readonly volumesReady: boolean;
  /** Nothing runs in the pod any more, and what it had on the node has been taken away. */
  readonly cleanedUp: boolean;
  /** Container id to when it will be killed for good. */
  readonly stopping: ReadonlyMap<string, number>;
  /** By container name. */
  readonly startFailures: ReadonlyMap<string, StartFailure>;
  /** When the container of this name, having ended then, may start again; undefined: at once. */
  retryAt(containerName: string, endedMs: number): number | undefined;
  /** Length of the back-off that the container of this name is in. */
  backoffMs(containerName: string): number;
  probes(containerId: string): ProbeState;
  /** What the container left in its termination message file; '' when nothing. */
  terminationMessage(containerId: string): string;
  /** Names of containers whose postStart hook is under way: not ready yet. */
  readonly starting: ReadonlySet<string>;
  /** Network of the node. */
  readonly hostAddresses: readonly string[];
}

export const newestSandbox = ({ sandboxes }: PodRuntime): Sandbox | undefined => sandboxes[0];

/** The sandbox that containers can be started in. */
export function readySandbox(runtime: PodRuntime): Sandbox | undefined {
  const newest = newestSandbox(runtime);
  return newest?.ready ? newest : undefined;
}

export const newestContainer = (runtime: PodRuntime, name: string): ContainerFacts | undefined =>
  runtime.containers.find((container) => container.name === name);

/** Not started by the time we look: what an interrupted start leaves behind. */
export const isAlive = ({ state }: ContainerFacts): boolean => state === 'running' || state === 'unknown';
