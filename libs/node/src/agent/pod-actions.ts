/** Does what `decide-pod.ts` asks for, for one pod. */
import { pod as podKind, type ResourceClaim, resourceClaim } from '@periplus/api';
import { isNotFound } from '@periplus/apimachinery';
import { describeCriError, type SandboxConfig } from '@periplus/cri';
import type { PodAction } from '../pod/decide-pod.ts';
import { dnsConfig } from '../pod/dns.ts';
import { hostsFile } from '../pod/hosts-file.ts';
import { type PodRuntime, readySandbox } from '../pod/pod-runtime.ts';
import { type Container, graceSecondsOf, type Pod } from '../pod/pod-types.ts';
import { sandboxConfig } from '../pod/sandbox-config.ts';
import { runHandler } from '../probes/run-probe.ts';
import { hasFiles } from '../volumes/volume-files.ts';
import type { AgentContext } from './agent-context.ts';
import { claimedVolumes } from './claimed-volumes.ts';
import { startContainer, tellAbout, writeHostsFile } from './container-starter.ts';
import { readHostsFile, removePodCgroup, removePodLogs } from './host-files.ts';
import type { TellPod } from './image-puller.ts';
import { prepareDevices } from './pod-devices.ts';
import type { WorkerMemory } from './pod-memory.ts';
import { unlessGone, volumeSources } from './pod-sources.ts';
import { StartError } from './start-error.ts';
import { causeOf } from './status-sender.ts';
import { Stopper } from './stopper.ts';

const POST_START_MS_MAX = 10 * 60_000;

/** What an action is done to. */
export interface ActionScene {
  pod: Pod;
  runtime: PodRuntime;
  /** The object is gone from the API already. */
  gone: boolean;
  /** The pod is to end instead: don't wait for its image any longer. */
  interrupted: AbortSignal;
}

export const addressesOf = (context: AgentContext, { spec }: Pod, runtime: PodRuntime): readonly string[] =>
  spec.hostNetwork ? context.settings.facts.addresses : runtime.addresses;

export class PodActions {
  private readonly context: AgentContext;
  private readonly memory: WorkerMemory;
  private readonly stopper: Stopper;
  private readonly wake: () => void;
  private refreshAtMs = 0;
  private objectDeleted = false;

  /** `wake` is called when something that went on in the background is through. */
  constructor(context: AgentContext, memory: WorkerMemory, wake: () => void) {
    this.context = context;
    this.memory = memory;
    this.wake = wake;
    this.stopper = new Stopper(context, memory.stopping, wake);
  }

  async perform(action: PodAction, scene: ActionScene): Promise<void> {
    const { cri } = this.context;
    switch (action.do) {
      case 'prepareVolumes':
        return this.prepareVolumes(scene);
      case 'createSandbox':
        return this.createSandbox(action.attempt, scene.pod);
      case 'stopSandbox':
        return unlessGone(cri.stopSandbox(action.id));
      case 'removeSandbox':
        return unlessGone(cri.removeSandbox(action.id));
      case 'startContainer':
        return this.startContainer(action, scene);
      case 'stopContainer':
        return this.stopContainer(action, scene);
      case 'removeContainer':
        return unlessGone(cri.removeContainer(action.id));
      case 'cleanUp':
        return this.cleanUp(action.andObject, scene);
    }
  }

  /** Resolves with when to do it again; null for pods without such volumes. */
  async refreshVolumes({ pod, runtime }: ActionScene, nowMs: number): Promise<number | null> {
    if (!this.memory.volumesReady || !pod.spec.volumes?.some(hasFiles)) return null;
    const { volumeRefreshMs } = this.context.settings;
    if (nowMs >= this.refreshAtMs) {
      this.refreshAtMs = nowMs + volumeRefreshMs;
      try {
        const addresses = addressesOf(this.context, pod, runtime);
        const sources = await volumeSources(this.context, pod, addresses, volumeRefreshMs / 2);
        await this.context.volumes.refresh(pod, sources);
      } catch (error) {
        // The old content stays, as with the kubelet.
        this.tell(pod, 'FailedMount', error);
      }
    }
    return this.refreshAtMs;
  }

  private async prepareVolumes({ pod, runtime }: ActionScene): Promise<void> {
    try {
      const sources = await volumeSources(this.context, pod, addressesOf(this.context, pod, runtime));
      await this.context.volumes.prepare(pod, sources, await claimedVolumes(this.context.resources, pod));
    } catch (error) {
      this.tell(pod, 'FailedMount', error);
      throw error;
    }
    this.memory.volumesReady = true;
    this.refreshAtMs = this.context.now() + this.context.settings.volumeRefreshMs;
  }

  private sandboxConfig(pod: Pod, attempt: number): SandboxConfig {
    const { settings } = this.context;
    return sandboxConfig(pod, attempt, {
      ...settings,
      clusterDomain: settings.dns.domain,
      dns: dnsConfig(pod, settings.dns, settings.hostDns),
    });
  }

  private async prepareDevices(pod: Pod): Promise<void> {
    const { resources } = this.context;
    const { namespace } = pod.metadata;
    try {
      await prepareDevices(pod, (name) => resources.get<ResourceClaim>(resourceClaim, namespace, name));
    } catch (error) {
      this.tell(pod, 'FailedPrepareDynamicResources', error);
      throw error;
    }
  }

  private async createSandbox(attempt: number, pod: Pod): Promise<void> {
    const { context } = this;
    await this.prepareDevices(pod);
    if (attempt > 0) {
      const message = 'Pod sandbox changed, it will be killed and re-created.';
      context.record({ about: pod, type: 'Normal', reason: 'SandboxChanged', message });
    }
    try {
      const id = await context.cri.runSandbox(this.sandboxConfig(pod, attempt));
      context.view.learn(id, pod.metadata.uid);
      const addresses = pod.spec.hostNetwork ? [] : await context.cri.sandboxAddresses(id);
      const content = hostsFile(pod, addresses, context.settings.dns.domain, await readHostsFile(pod));
      await writeHostsFile(context, pod.metadata.uid, content);
    } catch (error) {
      this.tell(pod, 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${describeCriError(error)}`);
      throw error;
    }
  }

  private async startContainer(
    { container, attempt, sandboxId, endedMs }: PodAction & { do: 'startContainer' },
    { pod, runtime, interrupted }: ActionScene,
  ): Promise<void> {
    const { name } = container;
    const tell = this.tellAbout(pod, name);
    const sandbox = this.sandboxConfig(pod, readySandbox(runtime)?.attempt ?? 0);
    const podAddresses = addressesOf(this.context, pod, runtime);
    if (endedMs !== null) this.memory.restarted(name, endedMs);
    try {
      const request = { pod, container, attempt, sandboxId, sandbox, podAddresses, interrupted };
      const id = await startContainer(this.context, request, tell);
      this.memory.startFailures.delete(name);
      if (container.lifecycle?.postStart) this.runPostStart(pod, container, id, podAddresses[0] ?? '', tell);
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      const { reason, message, retryAtMs } = error;
      this.memory.startFailures.set(name, { reason, message, retryAtMs });
    }
  }

  private runPostStart(pod: Pod, container: Container, id: string, address: string, tell: TellPod): void {
    const { memory } = this;
    memory.starting.add(container.name);
    const target = { cri: this.context.cri, container, containerId: id, address };
    void runHandler(container.lifecycle!.postStart!, target, POST_START_MS_MAX).then((result) => {
      memory.starting.delete(container.name);
      if (!result.ok) {
        tell('Warning', 'FailedPostStartHook', 'PostStartHook failed');
        const request = { id, graceSeconds: graceSecondsOf(pod), message: 'FailedPostStartHook' };
        this.stopper.stop(request, pod, container, address, tell);
      }
      this.wake();
    });
  }

  private stopContainer(action: PodAction & { do: 'stopContainer' }, { pod, runtime }: ActionScene): void {
    const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
    const container = all.find(({ name }) => name === action.name);
    const address = addressesOf(this.context, pod, runtime)[0] ?? '';
    this.stopper.stop(action, pod, container, address, this.tellAbout(pod, action.name));
  }

  private async cleanUp(andObject: boolean, { pod, gone }: ActionScene): Promise<void> {
    const { context, memory } = this;
    const { uid } = pod.metadata;
    await context.volumes.remove(uid, andObject ? 'all' : 'volumes');
    if (!(await removePodCgroup(context.settings.cgroupRoot, pod))) {
      context.log.warn({ uid }, 'the control group of a pod is still in use');
    }
    context.prober.forget(uid);
    context.data.forget(uid);
    context.images.forget(uid);
    memory.cleanedUp = true;
    memory.volumesReady = false;
    if (!andObject) return;
    await removePodLogs(context.settings.logDirectory, pod);
    if (!gone) await this.deleteObject(pod);
  }

  /** The last word on the pod; its inbox entry goes with it. It stays while somebody holds a finalizer. */
  private async deleteObject(pod: Pod): Promise<void> {
    if (this.objectDeleted) return;
    const { name, namespace, uid } = pod.metadata;
    await this.context.statuses.flush(uid);
    try {
      const target = { kind: podKind, namespace, name, ifUid: uid };
      await this.context.commands.send({ verb: 'delete', ...target, gracePeriodSeconds: 0 }, causeOf(pod));
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    this.objectDeleted = true;
  }

  private tell(pod: Pod, reason: string, problem: unknown): void {
    const message = problem instanceof Error ? problem.message : String(problem);
    this.context.record({ about: pod, type: 'Warning', reason, message });
  }

  private tellAbout(pod: Pod, container: string): TellPod {
    return tellAbout(this.context, pod, container);
  }
}
