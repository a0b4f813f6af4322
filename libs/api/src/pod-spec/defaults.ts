/** Defaults that a pod and the pod template of a workload share. */
import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IEphemeralContainer } from 'kubernetes-models/v1/EphemeralContainer';
import type { ILifecycleHandler } from 'kubernetes-models/v1/LifecycleHandler';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import type { IPodTemplateSpec } from 'kubernetes-models/v1/PodTemplateSpec';
import type { IProbe } from 'kubernetes-models/v1/Probe';
import type { IVolume } from 'kubernetes-models/v1/Volume';
import { setClaimSpecDefaults } from '../core/claim-spec.ts';
import { setDiskDefaults } from './disk-defaults.ts';

/** rw-r--r-- */
const FILE_MODE = 0o644;
const TOKEN_SECONDS = 3600;

/**
 * What Kubernetes leaves out of an object when it is false, 0 or empty. Go clients leave it out too, so
 * that it would look changed when they send back what they have read.
 */
const UNSAID_IN_SPEC = [
  'hostNetwork',
  'hostPID',
  'hostIPC',
  'nodeName',
  'hostname',
  'subdomain',
  'serviceAccountName',
  'serviceAccount',
  'priorityClassName',
] as const;
const UNSAID_IN_CONTAINER = ['stdin', 'stdinOnce', 'tty', 'workingDir', 'image'] as const;

function leaveUnsaid<K extends string>(object: { [N in K]?: unknown }, names: readonly K[]): void {
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    const value = object[name];
    if (value === false || value === '') delete object[name];
  }
}

/** The tag of an image reference: `latest` when it names neither tag nor digest, '' when only a digest. */
function tagOf(image: string): string {
  const [name = '', digest] = image.split('@', 2);
  const colon = name.lastIndexOf(':');
  if (colon > name.lastIndexOf('/')) return name.slice(colon + 1);
  return digest ? '' : 'latest';
}

function defaultHandler(handler: ILifecycleHandler | undefined): void {
  const get = handler?.httpGet;
  if (!get) return;
  get.path ||= '/';
  get.scheme ||= 'HTTP';
}

function defaultProbe(probe: IProbe | undefined): void {
  if (!probe) return;
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  defaultHandler(probe);
  if (probe.grpc) probe.grpc.service ??= '';
}

function defaultContainer(container: IContainer | IEphemeralContainer, hostNetwork: boolean): void {
  leaveUnsaid(container, UNSAID_IN_CONTAINER);
  container.imagePullPolicy ||= tagOf(container.image ?? '') === 'latest' ? 'Always' : 'IfNotPresent';
  container.terminationMessagePath ||= '/dev/termination-log';
  container.terminationMessagePolicy ||= 'File';
  container.resources ??= {};
  for (const port of container.ports ?? []) {
    port.protocol ||= 'TCP';
    if (hostNetwork) port.hostPort ||= port.containerPort;
    if (port.hostPort === 0) delete port.hostPort;
    leaveUnsaid(port, ['name', 'hostIP']);
  }
  for (const mount of container.volumeMounts ?? []) leaveUnsaid(mount, ['readOnly', 'subPath', 'subPathExpr']);
  for (const variable of container.env ?? []) {
    if (variable.value === '') delete variable.value;
    const field = variable.valueFrom?.fieldRef;
    if (field) field.apiVersion ||= 'v1';
  }
  defaultProbe(container.livenessProbe);
  defaultProbe(container.readinessProbe);
  defaultProbe(container.startupProbe);
  defaultHandler(container.lifecycle?.postStart);
  defaultHandler(container.lifecycle?.preStop);
}

function defaultDownwardItems(items: { fieldRef?: { apiVersion?: string } }[] | undefined): void {
  for (const { fieldRef } of items ?? []) if (fieldRef) fieldRef.apiVersion ||= 'v1';
}

function defaultVolume(volume: IVolume): void {
  if (volume.secret) volume.secret.defaultMode ??= FILE_MODE;
  else if (volume.configMap) volume.configMap.defaultMode ??= FILE_MODE;
  else if (volume.hostPath) volume.hostPath.type ??= '';
  else if (volume.downwardAPI) {
    volume.downwardAPI.defaultMode ??= FILE_MODE;
    defaultDownwardItems(volume.downwardAPI.items);
  } else if (volume.projected) {
    volume.projected.defaultMode ??= FILE_MODE;
    for (const source of volume.projected.sources ?? []) {
      if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= TOKEN_SECONDS;
      defaultDownwardItems(source.downwardAPI?.items);
    }
  } else if (volume.image) {
    volume.image.pullPolicy ||= tagOf(volume.image.reference ?? '') === 'latest' ? 'Always' : 'IfNotPresent';
  } else if (volume.ephemeral?.volumeClaimTemplate) {
    volume.ephemeral.volumeClaimTemplate.spec ??= {};
    setClaimSpecDefaults(volume.ephemeral.volumeClaimTemplate.spec);
  } else if (Object.keys(volume).length <= 1) volume.emptyDir = {};
  else setDiskDefaults(volume);
}

/** https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#PodSpec */
export function setPodSpecDefaults(spec: IPodSpec): void {
  leaveUnsaid(spec, UNSAID_IN_SPEC);
  const hostNetwork = spec.hostNetwork === true;
  spec.dnsPolicy ||= 'ClusterFirst';
  spec.restartPolicy ||= 'Always';
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ||= 'default-scheduler';
  // Two names of one field, for old clients; the new one wins.
  if (spec.serviceAccount) spec.serviceAccountName ||= spec.serviceAccount;
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName;
  spec.containers ??= [];
  for (const container of spec.containers) defaultContainer(container, hostNetwork);
  for (const container of spec.initContainers ?? []) defaultContainer(container, hostNetwork);
  for (const container of spec.ephemeralContainers ?? []) defaultContainer(container, false);
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
}

export function setPodTemplateDefaults(template: IPodTemplateSpec): void {
  template.metadata ??= {};
  template.spec ??= { containers: [] };
  setPodSpecDefaults(template.spec);
}
