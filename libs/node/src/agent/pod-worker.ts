/**
 * Runs one pod: looks at what is there, reports it, asks `decide-pod.ts` what to do, has it done, and looks again. One
 * step at a time per pod; stopping and hooks go on in the background.
 */
import { describeCriError } from '@periplus/cri';
import { ANNOTATION } from '../pod/container-names.ts';
import { decideEnd, decideRun, type Ending, type PodAction, type PodInput } from '../pod/decide-pod.ts';
import type { ContainerFacts, PodRuntime } from '../pod/pod-runtime.ts';
import { DEADLINE_EXCEEDED, deadlineMs, isFinished, type Report, reportPod, type Verdict } from '../pod/pod-status.ts';
import { describePod, graceSecondsOf, type Pod, type PodStatus } from '../pod/pod-types.ts';
import type { AgentContext } from './agent-context.ts';
import { Interrupted, tellAbout } from './container-starter.ts';
import { addressesOf, PodActions } from './pod-actions.ts';
import { WorkerMemory } from './pod-memory.ts';
import { terminationMessage } from './termination-message.ts';

/** After a step that failed for the n-th time in a row. */
const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 10_000;
const SETTLE_MS = 15;
/** Pods whose object has gone without warning get this long. */
const ORPHAN_GRACE_SECONDS = 1;

export class PodWorker {
  readonly uid: string;
  private pod: Pod;
  /** The object is gone from the API. */
  private gone = false;
  private readonly context: AgentContext;
  private readonly onEnded: () => void;
  private readonly memory: WorkerMemory;
  private readonly actions: PodActions;
  /** As computed last, which the inbox may not show yet. */
  private lastStatus: PodStatus | null = null;
  private lastRuntime: PodRuntime | null = null;
  /** By container name: the ended container whose back-off has been told of. */
  private readonly toldOfBackoff = new Map<string, string>();
  private interrupt = new AbortController();
  private failures = 0;
  private dirty = false;
  private running = false;
  private ended = false;
  private timer: NodeJS.Timeout | null = null;

  constructor(context: AgentContext, pod: Pod, onEnded: () => void) {
    this.context = context;
    this.pod = pod;
    this.uid = pod.metadata.uid;
    this.onEnded = onEnded;
    this.memory = new WorkerMemory(context);
    this.actions = new PodActions(context, this.memory, () => this.wake());
  }

  update(pod: Pod): void {
    const ends = pod.metadata.deletionTimestamp !== undefined && this.pod.metadata.deletionTimestamp === undefined;
    this.pod = pod;
    if (ends) this.interruptStep();
    this.wake();
  }

  /** The object is gone: whatever still runs has to end. */
  remove(): void {
    this.gone = true;
    this.context.statuses.forget(this.uid);
    this.interruptStep();
    this.wake();
  }

  wake(): void {
    this.dirty = true;
    if (this.running || this.ended) return;
    this.running = true;
    void this.run();
  }

  /** Whether it is the pod of that name; one that is gone has none any more. */
  isNamed(namespace: string, name: string): boolean {
    return !this.gone && this.pod.metadata.name === name && this.pod.metadata.namespace === namespace;
  }

  /** Why a container has not been started, as its status says. */
  waitingReason(container: string): string | undefined {
    const { containerStatuses = [], initContainerStatuses = [] } = this.lastStatus ?? {};
    const status = [...initContainerStatuses, ...containerStatuses].find(({ name }) => name === container);
    return status?.state?.waiting?.reason;
  }

  runningContainers(): readonly ContainerFacts[] {
    return this.lastRuntime?.containers.filter(({ state }) => state === 'running') ?? [];
  }

  /** Leaves everything as it is; the next agent takes over. */
  close(): void {
    this.ended = true;
    if (this.timer) clearTimeout(this.timer);
  }

  private async run(): Promise<void> {
    while (this.dirty && !this.ended) {
      this.dirty = false;
      try {
        await this.step();
        this.failures = 0;
      } catch (error) {
        if (error instanceof Interrupted) continue;
        this.failures += 1;
        const { name, namespace } = this.pod.metadata;
        this.context.log.warn({ pod: name, namespace, error: describeCriError(error) }, 'a step for a pod failed');
        this.wakeAt(this.context.now() + Math.min(RETRY_MS_MIN * 2 ** (this.failures - 1), RETRY_MS_MAX));
      }
    }
    this.running = false;
  }

  private wakeAt(atMs: number | null): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    if (atMs !== null && !this.ended) {
      this.timer = setTimeout(() => this.wake(), Math.max(0, atMs - this.context.now()));
    }
  }

  /** Ends waits that make no sense any more, and lets a failed step be tried at once. */
  private interruptStep(): void {
    this.failures = 0;
    this.interrupt.abort();
    this.interrupt = new AbortController();
  }

  private async step(): Promise<void> {
    const { context } = this;
    const interrupted = this.interrupt.signal;
    const runtime = await context.view.inspect(this.uid);
    this.lastRuntime = runtime;
    await this.readMessages(runtime);
    const nowMs = context.now();
    const pod = this.podNow();
    const input: PodInput = { pod, runtime, memory: this.memory, nowMs };
    const isEnding = this.gone || pod.metadata.deletionTimestamp !== undefined || isFinished(pod.status?.phase);
    context.prober.sync(pod, runtime, addressesOf(context, pod, runtime)[0] ?? '', isEnding);
    const deadline = deadlineMs(pod);
    const verdict = deadline !== null && nowMs >= deadline ? DEADLINE_EXCEEDED : null;
    const { isOver } = this.report(input, verdict);
    const ending = this.endingOf(isOver);
    const { actions, lookAtMs } = ending ? decideEnd(input, ending) : decideRun(input);
    const scene = { pod, runtime, gone: this.gone, interrupted };
    for (const action of actions) await this.actions.perform(action, scene);
    if (scene.gone && actions.some(isLast)) return this.end();
    if (actions.some(changesRuntime)) this.dirty = true;
    const refreshMs = ending ? null : await this.actions.refreshVolumes(scene, nowMs);
    const settledMs = context.view.isSettling(runtime) ? nowMs + SETTLE_MS : null;
    const times = [lookAtMs, refreshMs, settledMs, ending ? null : deadline].filter((time) => time !== null);
    this.wakeAt(times.length > 0 ? Math.min(...times) : null);
  }

  /** Nothing is left of the pod, here and in the API. */
  private end(): void {
    this.context.statuses.forget(this.uid);
    this.close();
    this.onEnded();
  }

  /** The pod with the newest status: the inbox may still show an older one. */
  private podNow(): Pod {
    if (!this.lastStatus) return this.pod;
    const own = new Set(this.lastStatus.conditions?.map(({ type }) => type));
    const others = (this.pod.status?.conditions ?? []).filter(({ type }) => !own.has(type));
    const conditions = [...(this.lastStatus.conditions ?? []), ...others];
    return { ...this.pod, status: { ...this.pod.status, ...this.lastStatus, conditions } };
  }

  private report(input: PodInput, verdict: Verdict | null): Report {
    const report = reportPod(input, verdict);
    this.tellOfBackoff(report.status);
    // After its last word nothing of a deleted pod is news any more.
    const isSaid = this.pod.metadata.deletionTimestamp !== undefined && isFinished(this.lastStatus?.phase);
    if (this.gone || isSaid) return report;
    this.lastStatus = report.status;
    this.context.statuses.set(this.pod, report.status);
    return report;
  }

  private tellOfBackoff({ initContainerStatuses = [], containerStatuses = [] }: PodStatus): void {
    for (const { name, state, lastState } of [...initContainerStatuses, ...containerStatuses]) {
      const ended = lastState?.terminated?.containerID;
      if (state?.waiting?.reason !== 'CrashLoopBackOff' || !ended || this.toldOfBackoff.get(name) === ended) continue;
      this.toldOfBackoff.set(name, ended);
      const message = `Back-off restarting failed container ${name} in pod ${describePod(this.pod)}`;
      tellAbout(this.context, this.pod, name)('Warning', 'BackOff', message);
    }
  }

  private endingOf(isOver: boolean): Ending | null {
    const message = (name: string): string => `Stopping container ${name}`;
    const { deletionTimestamp, deletionGracePeriodSeconds } = this.pod.metadata;
    if (this.gone) {
      const graceSeconds = Math.min(deletionGracePeriodSeconds ?? ORPHAN_GRACE_SECONDS, graceSecondsOf(this.pod));
      return { graceSeconds: Math.max(graceSeconds, ORPHAN_GRACE_SECONDS), removeObject: true, message };
    }
    if (deletionTimestamp) {
      return { graceSeconds: deletionGracePeriodSeconds ?? graceSecondsOf(this.pod), removeObject: true, message };
    }
    if (!isOver) return null;
    return { graceSeconds: graceSecondsOf(this.pod), removeObject: false, message };
  }

  private async readMessages(runtime: PodRuntime): Promise<void> {
    const { messages } = this.memory;
    for (const facts of runtime.containers) {
      if (facts.state !== 'exited' || messages.has(facts.id)) continue;
      const path = this.context.directories.terminationLog(this.uid, facts.name, facts.attempt);
      const policy = facts.annotations[ANNOTATION.terminationMessagePolicy];
      const fallBack = policy === 'FallbackToLogsOnError' && facts.exitCode !== 0;
      messages.set(facts.id, await terminationMessage(path, facts.logPath, fallBack));
    }
    const present = new Set(runtime.containers.map(({ id }) => id));
    for (const id of messages.keys()) if (!present.has(id)) messages.delete(id);
  }
}

const isLast = (action: PodAction): boolean => action.do === 'cleanUp' && action.andObject;

/** After these the runtime looks different; a stop shows once it is through. */
const changesRuntime = (action: PodAction): boolean => action.do !== 'stopContainer' && !isLast(action);

/** A pod of which nothing is left but what the runtime has: it only has to end. */
export const orphanPod = (uid: string, namespace: string, name: string, node: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, uid, labels: {} },
  spec: { nodeName: node, containers: [] },
});
