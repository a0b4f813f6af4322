/**
 * What to do next for a pod: a pure function of its object, what the runtime has of it, and what the agent
 * remembers. Correct from any start, so nothing has to survive the agent.
 */
import { ANNOTATION, containerHash } from './container-names.ts';
import {
  type ContainerFacts,
  isAlive,
  newestContainer,
  newestSandbox,
  type PodMemory,
  type PodRuntime,
  readySandbox,
} from './pod-runtime.ts';
import { type Container, graceSecondsOf, isSidecar, type Pod } from './pod-types.ts';

export type PodAction =
  | { do: 'prepareVolumes' }
  | { do: 'createSandbox'; attempt: number }
  /** Ends what runs in it and gives its address back. */
  | { do: 'stopSandbox'; id: string }
  /** Its containers, and their logs, go with it. */
  | { do: 'removeSandbox'; id: string }
  /** `endedMs`: when the one before it ended, which its back-off is counted from. */
  | { do: 'startContainer'; container: Container; attempt: number; sandboxId: string; endedMs: number | null }
  /** Does not wait for the end. */
  | { do: 'stopContainer'; id: string; name: string; graceSeconds: number; message: string }
  | { do: 'removeContainer'; id: string }
  /** All processes have ended: take away volumes and control group, and, `andObject`, the object from the API. */
  | { do: 'cleanUp'; andObject: boolean };

export interface Decision {
  actions: readonly PodAction[];
  /** Look again then, even if nothing happens. */
  lookAtMs: number | null;
}

export interface PodInput {
  pod: Pod;
  runtime: PodRuntime;
  memory: PodMemory;
  nowMs: number;
}

/** Why all containers of a pod end. */
export interface Ending {
  graceSeconds: number;
  /** The pod's object goes, or has gone. */
  removeObject: boolean;
  message: (name: string) => string;
}

/** The newest dead container of each name is kept for its logs and status, and one before it. */
const DEAD_CONTAINERS_KEPT = 2;
const UNREADY_CHECK_MS = 10_000;

const nothing: Decision = { actions: [], lookAtMs: null };
const act = (...actions: PodAction[]): Decision => ({ actions, lookAtMs: null });

/** Ends the pod's containers, sidecars last, then its sandboxes, then everything else it had. */
export function decideEnd({ pod, runtime, memory, nowMs }: PodInput, ending: Ending): Decision {
  const sidecars = new Set((pod.spec.initContainers ?? []).filter(isSidecar).map((container) => container.name));
  const alive = runtime.containers.filter(isAlive);
  const mains = alive.filter((container) => !sidecars.has(container.name));
  // A sidecar may be needed by the others to the end; the last one to start is the first to go.
  const order = [...sidecars];
  const next =
    mains.length > 0 ? mains : alive.sort((a, b) => order.indexOf(b.name) - order.indexOf(a.name)).slice(0, 1);
  if (next.length > 0) {
    const killAtMs = nowMs + ending.graceSeconds * 1_000;
    const actions = next
      .filter(({ id }) => (memory.stopping.get(id) ?? Number.POSITIVE_INFINITY) > killAtMs)
      .map(({ id, name }): PodAction => {
        return { do: 'stopContainer', id, name, graceSeconds: ending.graceSeconds, message: ending.message(name) };
      });
    return { actions, lookAtMs: nowMs + UNREADY_CHECK_MS };
  }
  const ready = runtime.sandboxes.filter((sandbox) => sandbox.ready);
  if (ready.length > 0) return act(...ready.map(({ id }): PodAction => ({ do: 'stopSandbox', id })));
  if (!ending.removeObject) return memory.cleanedUp ? nothing : act({ do: 'cleanUp', andObject: false });
  if (runtime.sandboxes.length > 0) {
    return act(...runtime.sandboxes.map(({ id }): PodAction => ({ do: 'removeSandbox', id })));
  }
  return act({ do: 'cleanUp', andObject: true });
}

/** Brings a pod up and keeps it up. Not for pods that are to end: see `decideEnd`. */
export function decideRun(input: PodInput): Decision {
  const { pod, runtime, memory } = input;
  if (!memory.volumesReady) return act({ do: 'prepareVolumes' });
  const sandbox = readySandbox(runtime);
  if (!sandbox) return decideSandbox(input);
  const stale = runtime.sandboxes.slice(1);
  if (stale.length > 0) {
    return act(...stale.map(({ id, ready }): PodAction => ({ do: ready ? 'stopSandbox' : 'removeSandbox', id })));
  }
  const run = new ContainerRun(input, sandbox.id);
  const mainsBegan = pod.spec.containers.some(({ name }) => newestContainer(runtime, name)?.sandboxId === sandbox.id);
  if (run.initialize(mainsBegan)) for (const container of pod.spec.containers) run.keep(container, restartsMain(pod));
  run.removeDead();
  return run.decision();
}

function decideSandbox({ runtime }: PodInput): Decision {
  const alive = runtime.containers.filter(isAlive);
  const broken = newestSandbox(runtime);
  // What was left in a sandbox that broke can't be reached any more.
  if (broken && alive.length > 0) return act({ do: 'stopSandbox', id: broken.id });
  return act({ do: 'createSandbox', attempt: broken ? broken.attempt + 1 : 0 });
}

const restartsMain =
  ({ spec }: Pod) =>
  (exitCode: number): boolean =>
    spec.restartPolicy === 'Never' ? false : spec.restartPolicy === 'OnFailure' ? exitCode !== 0 : true;
const restartsInit =
  ({ spec }: Pod) =>
  (exitCode: number): boolean =>
    exitCode !== 0 && spec.restartPolicy !== 'Never';
const restartsAlways = (): boolean => true;

/** Collects the actions for the containers of one sandbox. */
class ContainerRun {
  private readonly input: PodInput;
  private readonly sandboxId: string;
  private readonly actions: PodAction[] = [];
  private lookAtMs: number | null = null;

  constructor(input: PodInput, sandboxId: string) {
    this.input = input;
    this.sandboxId = sandboxId;
  }

  decision(): Decision {
    return this.actions.length === 0 && this.lookAtMs === null
      ? nothing
      : { actions: this.actions, lookAtMs: this.lookAtMs };
  }

  /** Runs the init containers one after the other. True: the main containers may run. */
  initialize(mainsBegan: boolean): boolean {
    const { pod, memory } = this.input;
    for (const container of pod.spec.initContainers ?? []) {
      const found = this.current(container.name);
      if (isSidecar(container)) {
        this.keep(container, restartsAlways);
        const isUp =
          found?.state === 'running' && memory.probes(found.id).started && !memory.starting.has(container.name);
        if (!isUp && !mainsBegan) return false;
        continue;
      }
      // Once main containers exist all init containers have succeeded, whether or not they are still listed.
      if (mainsBegan || (found?.state === 'exited' && found.exitCode === 0)) continue;
      this.keep(container, restartsInit(pod));
      return false;
    }
    return true;
  }

  /** Starts the container when it should run and does not; stops it when it should not go on as it is. */
  keep(container: Container, restarts: (exitCode: number) => boolean): void {
    const found = this.current(container.name);
    if (!found) {
      this.start(container, this.nextAttempt(container.name));
    } else if (found.state === 'running') {
      this.check(container, found);
    } else if (found.state === 'exited') {
      if (restarts(found.exitCode)) this.start(container, found.attempt + 1, found.finishedAtMs);
    } else if (found.state === 'created') {
      // Its start failed, or the agent ended before starting it. It can't be started a second time.
      this.actions.push({ do: 'removeContainer', id: found.id });
      this.start(container, found.attempt);
    } else {
      this.stop(found, 0, `Container ${container.name} is in unknown state, try killing it before restart`);
    }
  }

  removeDead(): void {
    const counts = new Map<string, number>();
    for (const { id, name, state } of this.input.runtime.containers) {
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      if (state === 'exited' && count > DEAD_CONTAINERS_KEPT) this.actions.push({ do: 'removeContainer', id });
    }
  }

  private current(name: string): ContainerFacts | undefined {
    const found = newestContainer(this.input.runtime, name);
    return found?.sandboxId === this.sandboxId ? found : undefined;
  }

  private check(container: Container, found: ContainerFacts): void {
    const { failed } = this.input.memory.probes(found.id);
    const hash = found.annotations[ANNOTATION.hash];
    if (failed) {
      const probe = failed === 'liveness' ? container.livenessProbe : container.startupProbe;
      const grace = probe?.terminationGracePeriodSeconds ?? graceSecondsOf(this.input.pod);
      this.stop(found, grace, `Container ${container.name} failed ${failed} probe, will be restarted`);
    } else if (hash !== undefined && hash !== containerHash(container)) {
      const message = `Container ${container.name} definition changed, will be restarted`;
      this.stop(found, graceSecondsOf(this.input.pod), message);
    }
  }

  private stop({ id, name }: ContainerFacts, graceSeconds: number, message: string): void {
    if (this.input.memory.stopping.has(id)) return;
    this.actions.push({ do: 'stopContainer', id, name, graceSeconds, message });
  }

  private start(container: Container, attempt: number, endedMs: number | null = null): void {
    const { memory, nowMs } = this.input;
    const { name } = container;
    const waitUntilMs = Math.max(
      memory.startFailures.get(name)?.retryAtMs ?? 0,
      endedMs === null ? 0 : (memory.retryAt(name, endedMs) ?? 0),
    );
    if (waitUntilMs > nowMs) {
      this.lookAtMs = Math.min(this.lookAtMs ?? waitUntilMs, waitUntilMs);
      return;
    }
    this.actions.push({ do: 'startContainer', container, attempt, sandboxId: this.sandboxId, endedMs });
  }

  /** Attempts count on over new sandboxes, and over what is gone from the runtime but stands in the status. */
  private nextAttempt(name: string): number {
    const { pod, runtime } = this.input;
    const found = newestContainer(runtime, name);
    if (found) return found.attempt + 1;
    const all = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
    const told = all.find((status) => status.name === name);
    return told?.containerID || told?.lastState?.terminated ? told.restartCount + 1 : 0;
  }
}
