/** Pods as the agent handles them: the wire types of Kubernetes 1.36, with what a bound pod always has. */
import type { KubeObject, ObjectMeta } from '@periplus/apimachinery';
import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IContainerState } from 'kubernetes-models/v1/ContainerState';
import type { IContainerStateTerminated } from 'kubernetes-models/v1/ContainerStateTerminated';
import type { IContainerStatus } from 'kubernetes-models/v1/ContainerStatus';
import type { IEnvVarSource } from 'kubernetes-models/v1/EnvVarSource';
import type { IKeyToPath } from 'kubernetes-models/v1/KeyToPath';
import type { ILifecycleHandler } from 'kubernetes-models/v1/LifecycleHandler';
import type { IPodCondition } from 'kubernetes-models/v1/PodCondition';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import type { IPodStatus } from 'kubernetes-models/v1/PodStatus';
import type { IProbe } from 'kubernetes-models/v1/Probe';
import type { IVolume } from 'kubernetes-models/v1/Volume';
import type { IVolumeMount } from 'kubernetes-models/v1/VolumeMount';

export type Container = IContainer;
export type ContainerState = IContainerState;
export type ContainerStateTerminated = IContainerStateTerminated;
export type ContainerStatusOfPod = IContainerStatus;
export type EnvVarSource = IEnvVarSource;
export type KeyToPath = IKeyToPath;
export type LifecycleHandler = ILifecycleHandler;
export type PodCondition = IPodCondition;
export type PodSpec = IPodSpec;
export type PodStatus = IPodStatus;
export type Probe = IProbe;
export type Volume = IVolume;
export type VolumeMount = IVolumeMount;

export interface Pod extends KubeObject {
  metadata: ObjectMeta & { name: string; namespace: string; uid: string };
  spec: PodSpec;
  status?: PodStatus;
}

/** `name_namespace(uid)`, as the kubelet names pods in messages. */
export const describePod = ({ metadata }: Pod): string => `${metadata.name}_${metadata.namespace}(${metadata.uid})`;

/** An init container that goes on running beside the main ones. https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/ */
export const isSidecar = (container: Container): boolean => container.restartPolicy === 'Always';

export const graceSecondsOf = (pod: Pod): number => pod.spec.terminationGracePeriodSeconds ?? 30;
