/**
 * The container runtime interface, as the node-agent uses it: `openCri` for calls, `watchTasks` for what happens
 * to containers by themselves. `types.ts` is the contract.
 */
export { type TaskEvent, type TaskWatch, watchTasks } from './containerd-events.ts';
export { openCri } from './cri-client.ts';
export { CriError, type CriFailure, describeCriError, isCriNotFound } from './cri-error.ts';
export type {
  ContainerConfig,
  ContainerEntry,
  ContainerSecurity,
  ContainerState,
  ContainerStats,
  ContainerStatus,
  Cri,
  ExecResult,
  Image,
  LinuxResources,
  ListFilter,
  Mount,
  NamespaceOption,
  PortMapping,
  RegistryAuth,
  RuntimeCondition,
  Sandbox,
  SandboxConfig,
  SandboxSecurity,
  SecurityProfile,
} from './types.ts';
