import type { Cri } from '@periplus/cri';
import type { ContainerFacts, PodRuntime, ProbeState } from '../pod/pod-runtime.ts';
import type { Container, Pod } from '../pod/pod-types.ts';
import {
  activeProbes,
  afterResult,
  initialProgress,
  type ProbeKind,
  type ProbeProgress,
  type ProbeResult,
  probeOf,
} from './probe-state.ts';
import { runProbe } from './run-probe.ts';

const PERIOD_SECONDS = 10;
/** Probes of one node under way at once; more are put off by a moment. */
const RUNNING_MAX = 64;
const BUSY_MS = 100;

interface Watched {
  pod: Pod;
  container: Container;
  containerId: string;
  address: string;
  progress: ProbeProgress;
  timers: Map<ProbeKind, NodeJS.Timeout>;
}

export interface ProberDeps {
  cri: Cri;
  now(): number;
  /** A probe has failed once. */
  onUnhealthy(pod: Pod, container: Container, kind: ProbeKind, result: ProbeResult): void;
  /** The state of a container has changed. */
  onChange(uid: string): void;
}

const WITHOUT_PROBES: ProbeState = { started: true, ready: true, failed: null };

/** Probes the running containers of all pods. */
export class Prober {
  private readonly deps: ProberDeps;
  private readonly watched = new Map<string, Watched>();
  private running = 0;

  constructor(deps: ProberDeps) {
    this.deps = deps;
  }

  state(containerId: string): ProbeState {
    return this.watched.get(containerId)?.progress.state ?? WITHOUT_PROBES;
  }

  /** Takes up containers that run and drops those that don't. `liveness`: false while the pod ends. */
  sync(pod: Pod, runtime: PodRuntime, address: string, ending: boolean): void {
    const running = new Map(runtime.containers.filter(({ state }) => state === 'running').map((c) => [c.name, c]));
    const present = new Set<string>();
    for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
      const facts = running.get(container.name);
      if (!facts || !hasProbes(container)) continue;
      present.add(facts.id);
      const known = this.watched.get(facts.id);
      if (!known) this.watch(pod, container, facts, address);
      else if (ending) this.stopRestarting(known);
    }
    for (const entry of this.watched.values()) {
      if (entry.pod.metadata.uid === pod.metadata.uid && !present.has(entry.containerId)) this.drop(entry);
    }
  }

  forget(uid: string): void {
    for (const entry of this.watched.values()) if (entry.pod.metadata.uid === uid) this.drop(entry);
  }

  close(): void {
    for (const entry of this.watched.values()) this.drop(entry);
  }

  private watch(pod: Pod, container: Container, facts: ContainerFacts, address: string): void {
    const told = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find(
      ({ containerID }) => containerID?.endsWith(facts.id),
    );
    const entry: Watched = {
      ...{ pod, container, containerId: facts.id, address, timers: new Map() },
      // After a restart of the agent a container stays ready until a probe says otherwise.
      progress: initialProgress(container, told),
    };
    this.watched.set(facts.id, entry);
    for (const kind of activeProbes(container, entry.progress)) this.scheduleFirst(entry, kind, facts.startedAtMs);
  }

  private scheduleFirst(entry: Watched, kind: ProbeKind, startedAtMs: number): void {
    const delayMs = (probeOf(entry.container, kind)!.initialDelaySeconds ?? 0) * 1_000;
    this.schedule(entry, kind, Math.max(0, startedAtMs + delayMs - this.deps.now()));
  }

  private schedule(entry: Watched, kind: ProbeKind, delayMs: number): void {
    clearTimeout(entry.timers.get(kind));
    entry.timers.set(
      kind,
      setTimeout(() => void this.run(entry, kind), delayMs),
    );
  }

  private async run(entry: Watched, kind: ProbeKind): Promise<void> {
    if (this.running >= RUNNING_MAX) return this.schedule(entry, kind, BUSY_MS);
    const { pod, container, containerId, address } = entry;
    const probe = probeOf(container, kind)!;
    this.running += 1;
    const result = await runProbe(probe, { cri: this.deps.cri, container, containerId, address });
    this.running -= 1;
    if (this.watched.get(containerId) !== entry) return;
    if (!result.ok) this.deps.onUnhealthy(pod, container, kind, result);
    const before = entry.progress.state;
    entry.progress = afterResult(container, entry.progress, kind, result);
    const { state } = entry.progress;
    if (state.failed) this.stopAll(entry);
    else if (state.started !== before.started) this.switchProbes(entry);
    else this.schedule(entry, kind, (probe.periodSeconds ?? PERIOD_SECONDS) * 1_000);
    const changed = before.started !== state.started || before.ready !== state.ready || before.failed !== state.failed;
    if (changed) this.deps.onChange(pod.metadata.uid);
  }

  /** The startup probe has succeeded: the others begin. */
  private switchProbes(entry: Watched): void {
    this.stopAll(entry);
    for (const kind of activeProbes(entry.container, entry.progress)) this.schedule(entry, kind, 0);
  }

  /** A container that is on its way out is not restarted any more, but may still become unready. */
  private stopRestarting(entry: Watched): void {
    for (const kind of ['liveness', 'startup'] as const) {
      clearTimeout(entry.timers.get(kind));
      entry.timers.delete(kind);
    }
  }

  private stopAll(entry: Watched): void {
    for (const timer of entry.timers.values()) clearTimeout(timer);
    entry.timers.clear();
  }

  private drop(entry: Watched): void {
    this.stopAll(entry);
    this.watched.delete(entry.containerId);
  }
}

const hasProbes = ({ livenessProbe, readinessProbe, startupProbe }: Container): boolean =>
  Boolean(livenessProbe ?? readinessProbe ?? startupProbe);
