import { writeFile } from 'node:fs/promises';
import { describeCriError, type Image, type RegistryAuth, type SandboxConfig } from '@periplus/cri';
import { ConfigError } from '../pod/config-error.ts';
import { containerConfig } from '../pod/container-config.ts';
import type { Container, Pod } from '../pod/pod-types.ts';
import type { AgentContext } from './agent-context.ts';
import { containerMounts } from './container-mounts.ts';
import type { TellPod } from './image-puller.ts';
import { containerEnvironment } from './pod-sources.ts';
import { registryAuths } from './registry-auths.ts';
import { StartError } from './start-error.ts';

/** The kubelet looks at a pod that it could not bring up again after this time. */
const RETRY_MS = 10_000;

export interface StartRequest {
  pod: Pod;
  container: Container;
  attempt: number;
  sandboxId: string;
  sandbox: SandboxConfig;
  podAddresses: readonly string[];
  interrupted: AbortSignal;
}

/** Records Events about one container of a pod. */
export function tellAbout(context: AgentContext, pod: Pod, container: string): TellPod {
  const isInit = pod.spec.initContainers?.some(({ name }) => name === container) ?? false;
  const fieldPath = `spec.${isInit ? 'initContainers' : 'containers'}{${container}}`;
  return (type, reason, message) => context.record({ about: pod, type, reason, message, fieldPath });
}

/** Creates and starts a container. Resolves with its id; rejects with StartError, having told of it. */
export async function startContainer(context: AgentContext, request: StartRequest, tell: TellPod): Promise<string> {
  const { pod, container } = request;
  const auths = await pullSecrets(context, pod);
  const image = await interruptible(context.images.ensure(pod, container, auths, tell), request.interrupted);
  const id = await create(context, request, image, tell);
  context.view.learn(id, pod.metadata.uid);
  tell('Normal', 'Created', 'Container created');
  try {
    await context.cri.startContainer(id);
  } catch (error) {
    tell('Warning', 'Failed', `Error: ${describeCriError(error)}`);
    // The container has ended with a StartError, so its back-off decides when to try again.
    throw new StartError('RunContainerError', describeCriError(error), 0);
  }
  tell('Normal', 'Started', 'Container started');
  return id;
}

async function create(context: AgentContext, request: StartRequest, image: Image, tell: TellPod): Promise<string> {
  const { pod, container, attempt, sandboxId, sandbox, podAddresses } = request;
  const failWith = (reason: string, message: string): never => {
    tell('Warning', 'Failed', `Error: ${message}`);
    throw new StartError(reason, message, context.now() + RETRY_MS);
  };
  try {
    const environment = await containerEnvironment(context, pod, container, podAddresses);
    const mounts = await containerMounts(pod, container, attempt, environment, context.directories);
    const { seccompDirectory, machineMemoryBytes: machineMemory } = context.settings;
    const parts = { pod, container, attempt, image, environment, mounts, seccompDirectory, machineMemory };
    return await context.cri.createContainer(sandboxId, containerConfig(parts), sandbox);
  } catch (error) {
    if (error instanceof ConfigError) return failWith('CreateContainerConfigError', error.message);
    return failWith('CreateContainerError', describeCriError(error));
  }
}

async function pullSecrets(context: AgentContext, pod: Pod): Promise<RegistryAuth[]> {
  const found: RegistryAuth[] = [];
  for (const { name } of pod.spec.imagePullSecrets ?? []) {
    if (!name) continue;
    const data = await context.data.secret(pod.metadata.namespace, name).catch(() => undefined);
    if (data) found.push(...registryAuths(data.text));
  }
  return found;
}

/** Writes the pod's /etc/hosts, which its containers mount. */
export async function writeHostsFile(context: AgentContext, uid: string, content: string): Promise<void> {
  await writeFile(context.directories.hostsFile(uid), content, { mode: 0o644 });
}

/** The pod is to end, so what was waited for does not matter any more. */
export class Interrupted extends Error {}

/** Stops waiting when the signal comes; what was waited for goes on. */
function interruptible<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const interrupt = (): void => reject(new Interrupted('the pod is to end'));
    signal.addEventListener('abort', interrupt, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', interrupt));
    if (signal.aborted) interrupt();
  });
}
