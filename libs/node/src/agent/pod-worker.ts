/**
 * Runs one pod: looks at what is there, reports it, asks `decide-pod.ts` what to do, does it, and looks again. One
 * step at a time per pod; stopping and hooks go on in the background.
 */
import { pod as podKind } from '@periplus/api';
import { isConflict, isNotFound } from '@periplus/apimachinery';
import { describeCriError, type SandboxConfig } from '@periplus/cri';
import { ANNOTATION } from '../pod/container-names.ts';
import { decideEnd, decideRun, type Ending, type PodAction, type PodInput } from '../pod/decide-pod.ts';
import { dnsConfig } from '../pod/dns.ts';
import { hostsFile } from '../pod/hosts-file.ts';
import { type ContainerFacts, type PodRuntime, readySandbox } from '../pod/pod-runtime.ts';
import { DEADLINE_EXCEEDED, deadlineMs, isFinished, type Report, reportPod, type Verdict } from '../pod/pod-status.ts';
import { type Container, describePod, graceSecondsOf, type Pod, type PodStatus } from '../pod/pod-types.ts';
import { sandboxConfig } from '../pod/sandbox-config.ts';
import { runHandler } from '../probes/run-probe.ts';
import type { AgentContext } from './agent-context.ts';
import { removeContainer, startContainer, tellAbout, writeHostsFile } from './container-starter.ts';
import { readHostsFile, removePodCgroup, removePodLogs } from './host-files.ts';
import type { TellPod } from './image-puller.ts';
import { WorkerMemory } from './pod-memory.ts';
import { unlessGone, volumeSources } from './pod-sources.ts';
import { StartError } from './start-error.ts';
import { causeOf } from './status-sender.ts';
import { Stopper } from './stopper.ts';
import { terminationMessage } from './termination-message.ts';

/** After a step that failed for the n-th time in a row. */
const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 10_000;
const SETTLE_MS = 15;
/** Pods whose object has gone without warning get this long. */
const ORPHAN_GRACE_SECONDS = 1;
const POST_START_MS_MAX = 10 * 60_000;

export class PodWorker {
  readonly uid: string;
  private pod: Pod;
  /** The object is gone from the API. */
  private gone = false;
  private readonly context: AgentContext;
  private readonly onEnded: () => void;
  private readonly stopper: Stopper;
  private readonly memory: WorkerMemory;
  /** As computed last, which the inbox may not show yet. */
  private lastStatus: PodStatus | null = null;
  private lastRuntime: PodRuntime | null = null;
  private objectDeleted = false;
  /** By container name: the ended container whose back-off has been told of. */
  private readonly toldOfBackoff = new Map<string, string>();
  private refreshAtMs = 0;
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
    this.stopper = new Stopper(context, () => this.wake());
    this.memory = new WorkerMemory(context, this.stopper.stopping);
  }

  update(pod: Pod): void {
    const mayUnblock = pod.metadata.deletionTimestamp !== this.pod.metadata.deletionTimestamp;
    this.pod = pod;
    if (mayUnblock) this.failures = 0;
    this.wake();
  }

  /** The object is gone: whatever still runs has to end. */
  remove(): void {
    this.gone = true;
    this.context.statuses.forget(this.uid);
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

  private async step(): Promise<void> {
    const runtime = await this.context.view.inspect(this.uid);
    this.lastRuntime = runtime;
    await this.readMessages(runtime);
    const nowMs = this.context.now();
    const pod = this.podNow();
    const input: PodInput = { pod, runtime, memory: this.memory, nowMs };
    const isEnding = this.gone || pod.metadata.deletionTimestamp !== undefined || isFinished(pod.status?.phase);
    this.context.prober.sync(pod, runtime, this.addressesOf(runtime)[0] ?? '', isEnding);
    const deadline = deadlineMs(pod);
    const verdict = deadline !== null && nowMs >= deadline ? DEADLINE_EXCEEDED : null;
    const { isOver } = this.report(input, verdict);
    const ending = this.endingOf(isOver);
    const { actions, lookAtMs } = ending ? decideEnd(input, ending) : decideRun(input);
    for (const action of actions) await this.perform(action, input);
    if (actions.some(changesRuntime)) this.dirty = true;
    const refreshMs = ending ? null : await this.refreshVolumes(runtime, nowMs);
    const settledMs = this.context.view.isSettling(runtime) ? nowMs + SETTLE_MS : null;
    const times = [lookAtMs, refreshMs, settledMs, ending ? null : deadline].filter((time) => time !== null);
    this.wakeAt(times.length > 0 ? Math.min(...times) : null);
  }

  /** The pod with the newest status: the inbox may still show an older one. */
  private podNow(): Pod {
    if (!this.lastStatus) return this.pod;
    const own = new Set(this.lastStatus.conditions?.map(({ type }) => type));
    const others = (this.pod.status?.conditions ?? []).filter(({ type }) => !own.has(type));
    const conditions = [...(this.lastStatus.conditions ?? []), ...others];
    return { ...this.pod, status: { ...this.pod.status, ...this.lastStatus, conditions } };
  }

  private addressesOf(runtime: PodRuntime): readonly string[] {
    return this.pod.spec.hostNetwork ? this.context.settings.facts.addresses : runtime.addresses;
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
      this.tellAbout(name)('Warning', 'BackOff', message);
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

  private async perform(action: PodAction, input: PodInput): Promise<void> {
    const { cri } = this.context;
    switch (action.do) {
      case 'prepareVolumes':
        return this.prepareVolumes(input.runtime);
      case 'createSandbox':
        return this.createSandbox(action.attempt);
      case 'stopSandbox':
        return unlessGone(cri.stopSandbox(action.id));
      case 'removeSandbox':
        return unlessGone(cri.removeSandbox(action.id));
      case 'startContainer':
        return this.startContainer(action, input.runtime);
      case 'stopContainer':
        return this.stopContainer(action, input.runtime);
      case 'removeContainer':
        return removeContainer(this.context, action.id);
      case 'cleanUp':
        return this.cleanUp(action.andObject);
    }
  }

  private async prepareVolumes(runtime: PodRuntime): Promise<void> {
    try {
      const sources = await volumeSources(this.context, this.pod, this.addressesOf(runtime));
      await this.context.volumes.prepare(this.pod, sources);
    } catch (error) {
      this.tell('Warning', 'FailedMount', error instanceof Error ? error.message : String(error));
      throw error;
    }
    this.memory.volumesReady = true;
    this.refreshAtMs = this.context.now() + this.context.settings.volumeRefreshMs;
  }

  /** Resolves with when to do it again; null for pods without such volumes. */
  private async refreshVolumes(runtime: PodRuntime, nowMs: number): Promise<number | null> {
    const { volumes = [] } = this.pod.spec;
    if (!this.memory.volumesReady || !volumes.some((v) => v.configMap ?? v.secret ?? v.projected ?? v.downwardAPI)) {
      return null;
    }
    const { volumeRefreshMs } = this.context.settings;
    if (nowMs >= this.refreshAtMs) {
      this.refreshAtMs = nowMs + volumeRefreshMs;
      try {
        const sources = await volumeSources(this.context, this.pod, this.addressesOf(runtime), volumeRefreshMs / 2);
        await this.context.volumes.refresh(this.pod, sources);
      } catch (error) {
        // The old content stays, as with the kubelet.
        this.tell('Warning', 'FailedMount', error instanceof Error ? error.message : String(error));
      }
    }
    return this.refreshAtMs;
  }

  private sandboxConfig(attempt: number): SandboxConfig {
    const { settings } = this.context;
    return sandboxConfig(this.pod, attempt, {
      ...settings,
      clusterDomain: settings.dns.domain,
      dns: dnsConfig(this.pod, settings.dns, settings.hostDns),
    });
  }

  private async createSandbox(attempt: number): Promise<void> {
    if (attempt > 0) this.tell('Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.');
    try {
      const id = await this.context.cri.runSandbox(this.sandboxConfig(attempt));
      this.context.view.learn(id, this.uid);
      const addresses = this.pod.spec.hostNetwork ? [] : await this.context.cri.sandboxAddresses(id);
      const { domain } = this.context.settings.dns;
      const content = hostsFile(this.pod, addresses, domain, await readHostsFile(this.pod));
      await writeHostsFile(this.context, this.uid, content);
    } catch (error) {
      this.tell('Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${describeCriError(error)}`);
      throw error;
    }
  }

  private async startContainer(
    { container, attempt, sandboxId, endedMs }: PodAction & { do: 'startContainer' },
    runtime: PodRuntime,
  ): Promise<void> {
    const { name } = container;
    const tell = this.tellAbout(name);
    const sandbox = this.sandboxConfig(readySandbox(runtime)?.attempt ?? 0);
    const podAddresses = this.addressesOf(runtime);
    if (endedMs !== null) this.memory.restarted(name, endedMs);
    try {
      const request = { pod: this.pod, container, attempt, sandboxId, sandbox, podAddresses };
      const id = await startContainer(this.context, request, tell);
      this.memory.startFailures.delete(name);
      const hook = container.lifecycle?.postStart;
      if (hook) this.runPostStart(container, id, podAddresses[0] ?? '', tell);
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      const { reason, message, retryAtMs } = error;
      this.memory.startFailures.set(name, { reason, message, retryAtMs });
    }
  }

  private runPostStart(container: Container, id: string, address: string, tell: TellPod): void {
    const { memory } = this;
    memory.starting.add(container.name);
    const target = { cri: this.context.cri, container, containerId: id, address };
    void runHandler(container.lifecycle!.postStart!, target, POST_START_MS_MAX).then((result) => {
      memory.starting.delete(container.name);
      if (!result.ok) {
        tell('Warning', 'FailedPostStartHook', 'PostStartHook failed');
        const message = `FailedPostStartHook`;
        this.stopper.stop({ id, graceSeconds: graceSecondsOf(this.pod), message }, this.pod, container, address, tell);
      }
      this.wake();
    });
  }

  private stopContainer(action: PodAction & { do: 'stopContainer' }, runtime: PodRuntime): void {
    const container = this.containers().find(({ name }) => name === action.name);
    const address = this.addressesOf(runtime)[0] ?? '';
    this.stopper.stop(action, this.pod, container, address, this.tellAbout(action.name));
  }

  private async cleanUp(andObject: boolean): Promise<void> {
    const { context, uid } = this;
    await context.volumes.remove(uid, andObject ? 'all' : 'volumes');
    if (!(await removePodCgroup(context.settings.cgroupRoot, this.pod))) {
      context.log.warn({ uid }, 'the control group of a pod is still in use');
    }
    context.prober.forget(uid);
    context.data.forget(uid);
    context.images.forget(uid);
    this.memory.cleanedUp = true;
    this.memory.volumesReady = false;
    if (!andObject) return;
    await removePodLogs(context.settings.logDirectory, this.pod);
    if (!this.gone) await this.deleteObject();
    if (!this.gone) return;
    context.statuses.forget(uid);
    this.close();
    this.onEnded();
  }

  /** The last word on the pod; its inbox entry goes with it. It stays while somebody holds a finalizer. */
  private async deleteObject(): Promise<void> {
    if (this.objectDeleted) return;
    await this.context.statuses.flush(this.uid);
    const { name, namespace } = this.pod.metadata;
    try {
      const target = { kind: podKind, namespace, name, ifUid: this.uid };
      await this.context.commands.send({ verb: 'delete', ...target, gracePeriodSeconds: 0 }, causeOf(this.pod));
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
    this.objectDeleted = true;
  }

  private containers(): Container[] {
    return [...(this.pod.spec.initContainers ?? []), ...this.pod.spec.containers];
  }

  private tell(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.context.record({ about: this.pod, type, reason, message });
  }

  private tellAbout(container: string): TellPod {
    const isInit = this.pod.spec.initContainers?.some(({ name }) => name === container) ?? false;
    return tellAbout(this.context, this.pod, container, isInit);
  }
}

/** After these the runtime looks different; a stop shows once it is through. */
const changesRuntime = (action: PodAction): boolean =>
  action.do !== 'stopContainer' && !(action.do === 'cleanUp' && action.andObject);

/** A pod of which nothing is left but what the runtime has: it only has to end. */
export const orphanPod = (uid: string, namespace: string, name: string, node: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, uid, labels: {} },
  spec: { nodeName: node, containers: [] },
});
