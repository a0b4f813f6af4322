/** What the node says of itself: pure, from facts that `machine.ts` reads. */
import { CONTROLLER_ATTACHES, type Node, sameValue } from '@periplus/api';
import type { RuntimeCondition } from '@periplus/cri';
import { timestamp } from './pod/container-status.ts';
import type { Taint } from './taint.ts';

/** The Kubernetes release whose kubelet this behaves like. */
const KUBELET_VERSION = 'v1.36.0';
const PODS_MAX = 110;
/** The kubelet keeps this much memory from pods, and says so when less is left. */
const MEMORY_RESERVED_BYTES = 100 * 1024 * 1024;
const DISK_FREE_BYTES_MIN = 1024 * 1024 * 1024;
const PIDS_FREE_MIN = 500;

export interface MachineFacts {
  hostname: string;
  architecture: 'amd64' | 'arm64';
  cpus: number;
  memoryBytes: number;
  memoryFreeBytes: number;
  diskBytes: number;
  diskFreeBytes: number;
  pidsFree: number;
  addresses: readonly string[];
  machineId: string;
  systemUuid: string;
  bootId: string;
  kernelVersion: string;
  osImage: string;
}

export interface NodeIdentity {
  name: string;
  /** Of the node's own server. */
  port: number;
  podCidr?: string;
  labels: Readonly<Record<string, string>>;
  annotations?: Readonly<Record<string, string>>;
  taints: readonly Taint[];
  podsMax?: number;
}

export interface RuntimeFacts {
  version: string;
  conditions: readonly RuntimeCondition[];
  images: readonly { names: string[]; sizeBytes: number }[];
}

type NodeStatus = NonNullable<Node['status']>;
type NodeCondition = NonNullable<NodeStatus['conditions']>[number];

const kibi = (bytes: number): string => `${Math.floor(bytes / 1024)}Ki`;

export function nodeLabels(identity: NodeIdentity, machine: MachineFacts): Record<string, string> {
  return {
    'beta.kubernetes.io/arch': machine.architecture,
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': machine.architecture,
    'kubernetes.io/hostname': machine.hostname,
    'kubernetes.io/os': 'linux',
    ...identity.labels,
  };
}

export const nodeAnnotations = ({ annotations }: NodeIdentity): Record<string, string> => ({
  [CONTROLLER_ATTACHES]: 'true',
  ...annotations,
});

/** The object that a node without one is registered with. */
export function newNode(identity: NodeIdentity, machine: MachineFacts): Node {
  const { name, podCidr, taints } = identity;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: nodeLabels(identity, machine), annotations: nodeAnnotations(identity) },
    spec: {
      ...(podCidr && { podCIDR: podCidr, podCIDRs: [podCidr] }),
      ...(taints.length > 0 && { taints: taints.map((taint) => ({ ...taint })) }),
    },
  };
}

function capacityOf(machine: MachineFacts, podsMax = PODS_MAX): Record<string, string> {
  return {
    cpu: String(machine.cpus),
    'ephemeral-storage': kibi(machine.diskBytes),
    'hugepages-1Gi': '0',
    'hugepages-2Mi': '0',
    memory: kibi(machine.memoryBytes),
    pods: String(podsMax),
  };
}

export function allocatableOf(machine: MachineFacts, podsMax = PODS_MAX): Record<string, string> {
  return {
    ...capacityOf(machine, podsMax),
    memory: kibi(Math.max(0, machine.memoryBytes - MEMORY_RESERVED_BYTES)),
  };
}

type Judgement = [type: string, status: 'True' | 'False', reason: string, message: string];

/** `runtime` is null while the container runtime does not answer. */
function judgements(machine: MachineFacts, runtime: RuntimeFacts | null): Judgement[] {
  const pressure = (type: string, under: boolean, low: string, enough: string, what: string): Judgement =>
    under
      ? [type, 'True', `KubeletHas${low}`, `kubelet has ${what.replace('sufficient', 'insufficient')}`]
      : [type, 'False', `KubeletHas${enough}`, `kubelet has ${what}`];
  const failed = runtime?.conditions.filter(({ status }) => !status) ?? [];
  const messages = runtime
    ? failed.map(({ type, reason, message }) => {
        const subject = type === 'NetworkReady' ? 'container runtime network not ready' : 'container runtime not ready';
        return `${subject}: ${type}=false reason:${reason} message:${message}`;
      })
    : ['container runtime is down'];
  return [
    pressure(
      'MemoryPressure',
      machine.memoryFreeBytes < MEMORY_RESERVED_BYTES,
      'InsufficientMemory',
      'SufficientMemory',
      'sufficient memory available',
    ),
    machine.diskFreeBytes < DISK_FREE_BYTES_MIN
      ? ['DiskPressure', 'True', 'KubeletHasDiskPressure', 'kubelet has disk pressure']
      : ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
    pressure(
      'PIDPressure',
      machine.pidsFree < PIDS_FREE_MIN,
      'InsufficientPID',
      'SufficientPID',
      'sufficient PID available',
    ),
    messages.length > 0
      ? ['Ready', 'False', 'KubeletNotReady', messages.join(', ')]
      : ['Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'],
  ];
}

export function nodeStatus(
  identity: NodeIdentity,
  machine: MachineFacts,
  runtime: RuntimeFacts | null,
  before: NodeStatus | undefined,
  nowMs: number,
): NodeStatus {
  const now = timestamp(nowMs);
  const conditions = judgements(machine, runtime).map(([type, status, reason, message]): NodeCondition => {
    const old = before?.conditions?.find((condition) => condition.type === type);
    return {
      ...{ type, status, lastHeartbeatTime: now },
      lastTransitionTime: (old?.status === status && old.lastTransitionTime) || now,
      ...{ reason, message },
    };
  });
  return {
    addresses: [
      ...machine.addresses.map((address) => ({ type: 'InternalIP' as const, address })),
      { type: 'Hostname' as const, address: machine.hostname },
    ],
    allocatable: allocatableOf(machine, identity.podsMax),
    capacity: capacityOf(machine, identity.podsMax),
    conditions,
    daemonEndpoints: { kubeletEndpoint: { Port: identity.port } },
    images: (runtime?.images ?? []).map(({ names, sizeBytes }) => ({ names, sizeBytes })),
    nodeInfo: {
      architecture: machine.architecture,
      bootID: machine.bootId,
      containerRuntimeVersion: runtime
        ? `containerd://${runtime.version}`
        : (before?.nodeInfo?.containerRuntimeVersion ?? ''),
      kernelVersion: machine.kernelVersion,
      kubeProxyVersion: '',
      kubeletVersion: KUBELET_VERSION,
      machineID: machine.machineId,
      operatingSystem: 'linux',
      osImage: machine.osImage,
      systemUUID: machine.systemUuid,
    },
  };
}

const withoutHeartbeats = ({ lastHeartbeatTime: _, ...condition }: NodeCondition): Partial<NodeCondition> => condition;

/**
 * Whether there is more to say than that the node is still there, which its lease says already. What others have
 * written beside it is not looked at.
 */
export function hasChanged(before: NodeStatus | undefined, now: NodeStatus): boolean {
  if (!before) return true;
  return Object.entries(now).some(([name, value]) => {
    if (name !== 'conditions') return !sameValue(before[name as keyof NodeStatus], value);
    return (now.conditions ?? []).some((condition) => {
      const old = before.conditions?.find(({ type }) => type === condition.type);
      return !old || !sameValue(withoutHeartbeats(old), withoutHeartbeats(condition));
    });
  });
}

export const isReady = (status: NodeStatus | undefined): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;

/**
 * What is to be told of conditions that have turned, in the kubelet's words: `NodeReady`, `NodeHasDiskPressure`. Of a
 * node that was never ready it is not told that it is not.
 */
export function turnsOf(before: NodeStatus | undefined, now: NodeStatus): string[] {
  const hasTurned = ({ type, status }: NodeCondition): boolean => {
    if (type === 'Ready') return isReady(before) !== (status === 'True');
    return before?.conditions?.find((condition) => condition.type === type)?.status !== status;
  };
  return (now.conditions ?? []).filter(hasTurned).map(({ reason = '' }) => reason.replace(/^Kubelet/, 'Node'));
}
