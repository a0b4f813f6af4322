/** What the runtime knows, in the words of this project: states as text, times in milliseconds since the epoch. */
import type { criProto } from '@periplus/proto';

export type SandboxConfig = criProto.v1.IPodSandboxConfig;
export type ContainerConfig = criProto.v1.IContainerConfig;
export type Mount = criProto.v1.IMount;
export type LinuxResources = criProto.v1.ILinuxContainerResources;
export type SandboxSecurity = criProto.v1.ILinuxSandboxSecurityContext;
export type ContainerSecurity = criProto.v1.ILinuxContainerSecurityContext;
export type SecurityProfile = criProto.v1.ISecurityProfile;
export type NamespaceOption = criProto.v1.INamespaceOption;
export type PortMapping = criProto.v1.IPortMapping;
export type RegistryAuth = criProto.v1.IAuthConfig;

export interface Sandbox {
  id: string;
  podName: string;
  podNamespace: string;
  podUid: string;
  /** Counts the sandboxes of a pod from 0. */
  attempt: number;
  ready: boolean;
  createdAtMs: number;
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
}

export type ContainerState = 'created' | 'running' | 'exited' | 'unknown';

/** A container as lists show it. */
export interface ContainerEntry {
  id: string;
  sandboxId: string;
  name: string;
  /** Counts the containers of this name in the pod from 0. */
  attempt: number;
  image: string;
  imageRef: string;
  state: ContainerState;
  createdAtMs: number;
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
}

/** What only a look at the single container tells. Times are 0 when it has not happened. */
export interface ContainerStatus {
  id: string;
  state: ContainerState;
  image: string;
  imageRef: string;
  createdAtMs: number;
  startedAtMs: number;
  finishedAtMs: number;
  exitCode: number;
  reason: string;
  message: string;
  logPath: string;
}

/** What a container has used of the processors since it began, and holds of the memory. */
export interface ContainerStats {
  id: string;
  name: string;
  labels: Readonly<Record<string, string>>;
  /** When the processors' time was read. */
  atMs: number;
  cpuNanoSeconds: number;
  workingSetBytes: number;
}

export interface Image {
  id: string;
  tags: readonly string[];
  digests: readonly string[];
  sizeBytes: number;
  /** The user the image asks for: a number, a name, or null for root. */
  uid: number | null;
  username: string;
}

export interface RuntimeCondition {
  type: string;
  status: boolean;
  reason: string;
  message: string;
}

export interface ExecResult {
  exitCode: number;
  stdout: Buffer;
  stderr: Buffer;
}

/** Restricts a list. All given parts have to match. */
export interface ListFilter {
  id?: string;
  labels?: Readonly<Record<string, string>>;
}

/**
 * A container runtime over CRI. Every call has a deadline and rejects with CriError; all but `createContainer`
 * and `runSandbox` may be repeated.
 */
export interface Cri {
  version(): Promise<{ name: string; version: string }>;
  conditions(): Promise<RuntimeCondition[]>;
  /** What pods get their addresses from, for a runtime that makes their network from a template. */
  setPodRanges(ranges: readonly string[]): Promise<void>;
  runSandbox(config: SandboxConfig): Promise<string>;
  stopSandbox(id: string): Promise<void>;
  removeSandbox(id: string): Promise<void>;
  /** The addresses of a sandbox, the first one being the pod's; none on the host network. */
  sandboxAddresses(id: string): Promise<string[]>;
  listSandboxes(filter?: ListFilter): Promise<Sandbox[]>;
  createContainer(sandboxId: string, config: ContainerConfig, sandbox: SandboxConfig): Promise<string>;
  startContainer(id: string): Promise<void>;
  /** Resolves when the container has ended. 0 kills at once. */
  stopContainer(id: string, graceSeconds: number): Promise<void>;
  removeContainer(id: string): Promise<void>;
  listContainers(filter?: ListFilter): Promise<ContainerEntry[]>;
  containerStatus(id: string): Promise<ContainerStatus>;
  /** Of those that run and can be measured; one that is just starting or ending may be missing. */
  containerStats(filter?: ListFilter): Promise<ContainerStats[]>;
  updateResources(id: string, resources: LinuxResources): Promise<void>;
  reopenLog(id: string): Promise<void>;
  exec(id: string, command: readonly string[], timeoutSeconds: number): Promise<ExecResult>;
  listImages(): Promise<Image[]>;
  /** Undefined when the image is not on the node. */
  image(reference: string): Promise<Image | undefined>;
  /** Resolves with the reference of what was pulled. */
  pullImage(reference: string, auth?: RegistryAuth, signal?: AbortSignal): Promise<string>;
  removeImage(reference: string): Promise<void>;
  close(): void;
}
