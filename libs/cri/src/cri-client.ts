import { Client, credentials, type MethodDefinition, type ServiceError } from '@grpc/grpc-js';
import { CriError } from './cri-error.ts';
import { containerOf, containerStatsOf, containerStatusOf, imageOf, sandboxOf } from './cri-messages.ts';
import { criMethods } from './cri-methods.ts';
import type {
  ContainerConfig,
  ContainerEntry,
  ContainerStats,
  ContainerStatus,
  Cri,
  ExecResult,
  Image,
  LinuxResources,
  ListFilter,
  RegistryAuth,
  RuntimeCondition,
  Sandbox,
  SandboxConfig,
} from './types.ts';

/** The kubelet's runtimeRequestTimeout. */
const CALL_MS_MAX = 120_000;
/** Setting up a pod's network may take longer than other calls. */
const SANDBOX_MS_MAX = 240_000;
const PULL_MS_MAX = 30 * 60_000;
/** Lists of some ten thousand containers still fit. */
const MESSAGE_BYTES_MAX = 16 << 20;

/** Opens a client of the runtime that listens on the unix socket at `socketPath`. Connects on the first call. */
export function openCri(socketPath: string): Cri {
  return new CriClient(socketPath);
}

class CriClient implements Cri {
  private readonly client: Client;

  constructor(socketPath: string) {
    this.client = new Client(`unix://${socketPath}`, credentials.createInsecure(), {
      'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
      'grpc.max_send_message_length': MESSAGE_BYTES_MAX,
      // A restarted containerd is back within milliseconds; don't wait the default minute for it.
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 2_000,
    });
  }

  async version(): Promise<{ name: string; version: string }> {
    const answer = await this.call(criMethods.version, {});
    return { name: answer.runtimeName ?? '', version: answer.runtimeVersion ?? '' };
  }

  async conditions(): Promise<RuntimeCondition[]> {
    const { status } = await this.call(criMethods.status, {});
    return (status?.conditions ?? []).map((condition) => ({
      type: condition.type ?? '',
      status: condition.status ?? false,
      reason: condition.reason ?? '',
      message: condition.message ?? '',
    }));
  }

  async setPodRanges(ranges: readonly string[]): Promise<void> {
    await this.call(criMethods.updateRuntimeConfig, { runtimeConfig: { networkConfig: { podCidr: ranges.join() } } });
  }

  async runSandbox(config: SandboxConfig): Promise<string> {
    const { podSandboxId } = await this.call(criMethods.runPodSandbox, { config }, SANDBOX_MS_MAX);
    return podSandboxId ?? '';
  }

  async stopSandbox(id: string): Promise<void> {
    await this.call(criMethods.stopPodSandbox, { podSandboxId: id });
  }

  async removeSandbox(id: string): Promise<void> {
    await this.call(criMethods.removePodSandbox, { podSandboxId: id });
  }

  async sandboxAddresses(id: string): Promise<string[]> {
    const { status } = await this.call(criMethods.podSandboxStatus, { podSandboxId: id });
    const addresses = [status?.network?.ip, ...(status?.network?.additionalIps ?? []).map((more) => more.ip)];
    return addresses.filter((address): address is string => Boolean(address));
  }

  async listSandboxes(filter: ListFilter = {}): Promise<Sandbox[]> {
    const request = { filter: { id: filter.id ?? '', labelSelector: { ...filter.labels } } };
    const { items } = await this.call(criMethods.listPodSandbox, request);
    return (items ?? []).map(sandboxOf);
  }

  async createContainer(sandboxId: string, config: ContainerConfig, sandbox: SandboxConfig): Promise<string> {
    const request = { podSandboxId: sandboxId, config, sandboxConfig: sandbox };
    const { containerId } = await this.call(criMethods.createContainer, request);
    return containerId ?? '';
  }

  async startContainer(id: string): Promise<void> {
    await this.call(criMethods.startContainer, { containerId: id });
  }

  async stopContainer(id: string, graceSeconds: number): Promise<void> {
    const request = { containerId: id, timeout: graceSeconds };
    await this.call(criMethods.stopContainer, request, graceSeconds * 1_000 + CALL_MS_MAX);
  }

  async removeContainer(id: string): Promise<void> {
    await this.call(criMethods.removeContainer, { containerId: id });
  }

  async listContainers(filter: ListFilter = {}): Promise<ContainerEntry[]> {
    const request = { filter: { id: filter.id ?? '', labelSelector: { ...filter.labels } } };
    const { containers } = await this.call(criMethods.listContainers, request);
    return (containers ?? []).map(containerOf);
  }

  async containerStatus(id: string): Promise<ContainerStatus> {
    const { status } = await this.call(criMethods.containerStatus, { containerId: id });
    if (!status) throw new CriError('ContainerStatus', 'NotFound', `container "${id}" has no status`);
    return containerStatusOf(status);
  }

  async containerStats(filter: ListFilter = {}): Promise<ContainerStats[]> {
    const request = { filter: { id: filter.id ?? '', labelSelector: { ...filter.labels } } };
    const { stats } = await this.call(criMethods.listContainerStats, request);
    return (stats ?? []).map(containerStatsOf).filter((one) => one !== undefined);
  }

  async updateResources(id: string, resources: LinuxResources): Promise<void> {
    await this.call(criMethods.updateContainerResources, { containerId: id, linux: resources });
  }

  async reopenLog(id: string): Promise<void> {
    await this.call(criMethods.reopenContainerLog, { containerId: id });
  }

  async exec(id: string, command: readonly string[], timeoutSeconds: number): Promise<ExecResult> {
    const request = { containerId: id, cmd: [...command], timeout: timeoutSeconds };
    const deadlineMs = timeoutSeconds > 0 ? timeoutSeconds * 1_000 + CALL_MS_MAX : PULL_MS_MAX;
    const answer = await this.call(criMethods.execSync, request, deadlineMs);
    return {
      exitCode: answer.exitCode ?? 0,
      stdout: Buffer.from(answer.stdout ?? []),
      stderr: Buffer.from(answer.stderr ?? []),
    };
  }

  async listImages(): Promise<Image[]> {
    const { images } = await this.call(criMethods.listImages, {});
    return (images ?? []).map(imageOf);
  }

  async image(reference: string): Promise<Image | undefined> {
    const { image } = await this.call(criMethods.imageStatus, { image: { image: reference } });
    return image ? imageOf(image) : undefined;
  }

  async pullImage(reference: string, auth?: RegistryAuth, signal?: AbortSignal): Promise<string> {
    const request = { image: { image: reference }, ...(auth && { auth }) };
    const { imageRef } = await this.call(criMethods.pullImage, request, PULL_MS_MAX, signal);
    return imageRef ?? '';
  }

  async removeImage(reference: string): Promise<void> {
    await this.call(criMethods.removeImage, { image: { image: reference } });
  }

  close(): void {
    this.client.close();
  }

  private call<Request, Response>(
    of: MethodDefinition<Request, Response>,
    request: Request,
    deadlineMs = CALL_MS_MAX,
    signal?: AbortSignal,
  ): Promise<Response> {
    const name = of.path.slice(of.path.lastIndexOf('/') + 1);
    return new Promise((resolve, reject) => {
      const answered = (error: ServiceError | null, response?: Response): void => {
        signal?.removeEventListener('abort', cancel);
        if (error || !response) reject(error ? CriError.of(name, error) : new CriError(name, 'Unknown', 'no answer'));
        else resolve(response);
      };
      const options = { deadline: Date.now() + deadlineMs };
      const { path, requestSerialize, responseDeserialize } = of;
      const call = this.client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        options,
        answered,
      );
      const cancel = (): void => call.cancel();
      signal?.addEventListener('abort', cancel, { once: true });
      if (signal?.aborted) call.cancel();
    });
  }
}
