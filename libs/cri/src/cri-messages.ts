/** From CRI's messages to the types of this package. */
import { criProto } from '@periplus/proto';
import type { ContainerEntry, ContainerState, ContainerStats, ContainerStatus, Image, Sandbox } from './types.ts';

const v1 = criProto.v1;

/** Nanoseconds are above 2^53, so they come rounded to 256 ns, which milliseconds don't show. */
const asMs = (nanoseconds: number | null | undefined): number => Math.round((nanoseconds ?? 0) / 1e6);

const STATE: Partial<Record<number, ContainerState>> = {
  [v1.ContainerState.CONTAINER_CREATED]: 'created',
  [v1.ContainerState.CONTAINER_RUNNING]: 'running',
  [v1.ContainerState.CONTAINER_EXITED]: 'exited',
};
const stateOf = (state: number | null | undefined): ContainerState => STATE[state ?? 0] ?? 'unknown';

export function sandboxOf(from: criProto.v1.IPodSandbox): Sandbox {
  return {
    id: from.id ?? '',
    podName: from.metadata?.name ?? '',
    podNamespace: from.metadata?.namespace ?? '',
    podUid: from.metadata?.uid ?? '',
    attempt: from.metadata?.attempt ?? 0,
    ready: from.state === v1.PodSandboxState.SANDBOX_READY,
    createdAtMs: asMs(from.createdAt),
    labels: from.labels ?? {},
    annotations: from.annotations ?? {},
  };
}

export function containerOf(from: criProto.v1.IContainer): ContainerEntry {
  return {
    id: from.id ?? '',
    sandboxId: from.podSandboxId ?? '',
    name: from.metadata?.name ?? '',
    attempt: from.metadata?.attempt ?? 0,
    image: from.image?.image ?? '',
    imageRef: from.imageRef ?? '',
    state: stateOf(from.state),
    createdAtMs: asMs(from.createdAt),
    labels: from.labels ?? {},
    annotations: from.annotations ?? {},
  };
}

export function containerStatusOf(from: criProto.v1.IContainerStatus): ContainerStatus {
  return {
    id: from.id ?? '',
    state: stateOf(from.state),
    image: from.image?.image ?? '',
    imageRef: from.imageRef ?? '',
    createdAtMs: asMs(from.createdAt),
    startedAtMs: asMs(from.startedAt),
    finishedAtMs: asMs(from.finishedAt),
    exitCode: from.exitCode ?? 0,
    reason: from.reason ?? '',
    message: from.message ?? '',
    logPath: from.logPath ?? '',
  };
}

/** Undefined when the runtime had nothing to measure. */
export function containerStatsOf({ attributes, cpu, memory }: criProto.v1.IContainerStats): ContainerStats | undefined {
  const cpuNanoSeconds = cpu?.usageCoreNanoSeconds?.value;
  const workingSetBytes = memory?.workingSetBytes?.value;
  if (cpuNanoSeconds == null || workingSetBytes == null) return undefined;
  return {
    id: attributes?.id ?? '',
    name: attributes?.metadata?.name ?? '',
    labels: attributes?.labels ?? {},
    atMs: asMs(cpu?.timestamp),
    ...{ cpuNanoSeconds, workingSetBytes },
  };
}

export function imageOf(from: criProto.v1.IImage): Image {
  return {
    id: from.id ?? '',
    tags: from.repoTags ?? [],
    digests: from.repoDigests ?? [],
    sizeBytes: from.size ?? 0,
    uid: from.uid ? (from.uid.value ?? 0) : null,
    username: from.username ?? '',
  };
}
