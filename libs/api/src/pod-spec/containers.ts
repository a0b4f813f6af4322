/** Containers of every sort: what they share, and what only some may have. */
import {
  type DeepReadonly,
  dns1123Label,
  type FieldPath,
  ipAddress,
  portName,
  portNumber,
} from '@periplus/apimachinery';
import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IContainerPort } from 'kubernetes-models/v1/ContainerPort';
import type { IEphemeralContainer } from 'kubernetes-models/v1/EphemeralContainer';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import { checkOneOf, checkOptionalOneOf, checkRequiredText, type Errors } from '../field-rules.ts';
import { checkEnv, checkEnvFrom } from './env.ts';
import { checkProbes, forbidProbes } from './probes.ts';
import { checkResources } from './resources.ts';
import { checkContainerSecurity } from './security-context.ts';
import { checkVolumeDevices, checkVolumeMounts } from './volume-mounts.ts';
import type { Volume } from './volumes.ts';

type Container = DeepReadonly<IContainer>;

/** What containers have to fit, gathered once per pod. */
export interface PodContext {
  spec: DeepReadonly<IPodSpec>;
  /** A pod, not a template: images may not be padded with blanks, host ports must be settled. */
  isPod: boolean;
  volumes: ReadonlyMap<string, Volume>;
  claimNames: readonly string[];
}

const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];
const MESSAGE_POLICIES = ['File', 'FallbackToLogsOnError'];
const RESTART_POLICIES = ['Always', 'OnFailure', 'Never'];
const RESTART_ACTIONS = ['Restart', 'RestartAllContainers'];
const EXIT_CODE_OPERATORS = ['In', 'NotIn'];
const RESIZABLE = ['cpu', 'memory'];
const RESIZE_POLICIES = ['NotRequired', 'RestartContainer'];
/** An ephemeral container only looks: it has no ports, probes, resources or hooks. */
const NOT_EPHEMERAL = [
  'ports',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
] as const;

function checkPorts(errors: Errors, at: FieldPath, ports: readonly DeepReadonly<IContainerPort>[] | undefined): void {
  if (!ports) return;
  const names = new Set<string>();
  for (let i = 0; i < ports.length; i++) {
    const { name, containerPort, hostPort, hostIP, protocol } = ports[i]!;
    const place = at.index('ports', i);
    if (name) {
      const problems = portName(name);
      for (const problem of problems) errors.push(place.child('name').invalid(name, problem));
      if (names.has(name)) errors.push(place.child('name').duplicate(name));
      if (problems.length === 0) names.add(name);
    }
    if (!containerPort) errors.push(place.child('containerPort').required());
    else {
      for (const problem of portNumber(containerPort)) {
        errors.push(place.child('containerPort').invalid(containerPort, problem));
      }
    }
    if (hostPort) {
      for (const problem of portNumber(hostPort)) errors.push(place.child('hostPort').invalid(hostPort, problem));
    }
    if (hostIP) for (const problem of ipAddress(hostIP)) errors.push(place.child('hostIP').invalid(hostIP, problem));
    checkOneOf(errors, place, 'protocol', protocol, PROTOCOLS);
  }
}

function checkResizePolicy(errors: Errors, at: FieldPath, container: Container, { spec }: PodContext): void {
  const seen = new Set<string>();
  container.resizePolicy?.forEach(({ resourceName, restartPolicy }, i) => {
    if (seen.has(resourceName)) errors.push(at.index('resizePolicy', i).duplicate(resourceName));
    seen.add(resourceName);
    checkOneOf(errors, at, 'resizePolicy', resourceName, RESIZABLE);
    checkOneOf(errors, at, 'resizePolicy', restartPolicy, RESIZE_POLICIES);
    if (spec.restartPolicy === 'Never' && restartPolicy !== 'NotRequired') {
      const detail = "must be 'NotRequired' when `restartPolicy` is 'Never'";
      errors.push(at.child('resizePolicy').invalid(restartPolicy, detail));
    }
  });
}

function checkCommon(errors: Errors, at: FieldPath, container: Container, pod: PodContext): void {
  const { image = '' } = container;
  checkRequiredText(errors, at, 'name', container.name, dns1123Label);
  if (!image) errors.push(at.child('image').required());
  else if (pod.isPod && image !== image.trim()) {
    errors.push(at.child('image').invalid(image, 'must not have leading or trailing whitespace'));
  }
  checkOneOf(errors, at, 'terminationMessagePolicy', container.terminationMessagePolicy, MESSAGE_POLICIES);
  checkPorts(errors, at, container.ports);
  checkEnv(errors, at, container.env);
  checkEnvFrom(errors, at, container.envFrom);
  checkVolumeMounts(errors, at, container, pod.volumes);
  checkVolumeDevices(errors, at, container, pod.volumes);
  checkOneOf(errors, at, 'imagePullPolicy', container.imagePullPolicy, PULL_POLICIES);
  checkResources(errors, at.child('resources'), container.resources, pod.claimNames);
  checkResizePolicy(errors, at, container, pod);
  checkContainerSecurity(errors, at, container.securityContext, pod.spec.hostUsers !== false);
}

/** Restart rules of one container need a policy to fall back on. https://kep.k8s.io/5307 */
function checkRestart(errors: Errors, at: FieldPath, { restartPolicy, restartPolicyRules }: Container): void {
  checkOptionalOneOf(errors, at, 'restartPolicy', restartPolicy, RESTART_POLICIES);
  if (restartPolicyRules?.length && !restartPolicy) {
    errors.push(at.child('restartPolicy').required('must specify restartPolicy when restart rules are used'));
  }
  restartPolicyRules?.forEach(({ action, exitCodes }, i) => {
    const place = at.index('restartPolicyRules', i);
    if (!RESTART_ACTIONS.includes(action)) {
      errors.push(place.child('action').notSupported(action ?? '', RESTART_ACTIONS));
    }
    if (!exitCodes) errors.push(place.child('exitCodes').required());
    else if (!EXIT_CODE_OPERATORS.includes(exitCodes.operator)) {
      errors.push(place.child('exitCodes', 'operator').notSupported(exitCodes.operator ?? '', EXIT_CODE_OPERATORS));
    }
  });
}

function checkHostPorts(
  errors: Errors,
  at: FieldPath,
  list: string,
  containers: readonly Container[],
  from: number,
  to: number,
): void {
  let taken: Set<string> | undefined;
  for (let i = from; i < to; i++) {
    containers[i]!.ports?.forEach(({ protocol, hostIP = '', hostPort }, position) => {
      if (!hostPort) return;
      taken ??= new Set();
      const id = `${protocol}/${hostIP}/${hostPort}`;
      if (taken.has(id)) errors.push(at.index(list, i).index('ports', position).child('hostPort').duplicate(id));
      taken.add(id);
    });
  }
}

export function checkContainers(errors: Errors, at: FieldPath, pod: PodContext): void {
  const { containers, hostNetwork, terminationGracePeriodSeconds } = pod.spec;
  if (containers.length === 0) errors.push(at.child('containers').required());
  const names = new Set<string>();
  for (let i = 0; i < containers.length; i++) {
    const container = containers[i]!;
    const place = at.index('containers', i);
    checkCommon(errors, place, container, pod);
    if (names.has(container.name)) errors.push(place.child('name').duplicate(container.name));
    names.add(container.name);
    checkProbes(errors, place, container, terminationGracePeriodSeconds);
    checkRestart(errors, place, container);
    if (!hostNetwork) continue;
    container.ports?.forEach(({ hostPort = 0, containerPort }, position) => {
      if ((pod.isPod || hostPort !== 0) && hostPort !== containerPort) {
        const detail = 'must match `containerPort` when `hostNetwork` is true';
        errors.push(place.index('ports', position).child('hostPort').invalid(hostPort, detail));
      }
    });
  }
  checkHostPorts(errors, at, 'containers', containers, 0, containers.length);
}

export function checkInitContainers(errors: Errors, at: FieldPath, pod: PodContext): void {
  const { initContainers = [], containers, terminationGracePeriodSeconds } = pod.spec;
  if (initContainers.length === 0) return;
  const names = new Set(containers.map(({ name }) => name));
  for (let i = 0; i < initContainers.length; i++) {
    const container = initContainers[i]!;
    const place = at.index('initContainers', i);
    checkCommon(errors, place, container, pod);
    checkRestart(errors, place, container);
    if (names.has(container.name)) errors.push(place.child('name').duplicate(container.name));
    if (container.name) names.add(container.name);
    // They run one after the other, so that each has the ports of the host for itself.
    checkHostPorts(errors, at, 'initContainers', initContainers, i, i + 1);
    if (container.restartPolicy === 'Always') checkProbes(errors, place, container, terminationGracePeriodSeconds);
    else forbidProbes(errors, place, container);
  }
}

export function checkEphemeralContainers(errors: Errors, at: FieldPath, pod: PodContext): void {
  const { ephemeralContainers = [], initContainers = [], containers } = pod.spec;
  if (ephemeralContainers.length === 0) return;
  const targets = new Set([...containers, ...initContainers].map(({ name }) => name));
  const names = new Set(targets);
  ephemeralContainers.forEach((container: DeepReadonly<IEphemeralContainer>, i) => {
    const place = at.index('ephemeralContainers', i);
    checkCommon(errors, place, container, { ...pod, isPod: true });
    if (names.has(container.name)) errors.push(place.child('name').duplicate(container.name));
    names.add(container.name);
    const target = container.targetContainerName;
    if (target && !targets.has(target)) errors.push(place.child('targetContainerName').notFound(target));
    for (const field of NOT_EPHEMERAL) {
      if (container[field]) errors.push(place.child(field).forbidden('cannot be set for an Ephemeral Container'));
    }
    const { requests, limits } = container.resources ?? {};
    if (requests || limits) {
      errors.push(place.child('resources').forbidden('cannot be set for an Ephemeral Container'));
    }
    container.volumeMounts?.forEach((mount, position) => {
      for (const field of ['subPath', 'subPathExpr'] as const) {
        if (!mount[field]) continue;
        const path = place.index('volumeMounts', position).child(field);
        errors.push(path.forbidden('cannot be set for an Ephemeral Container'));
      }
    });
  });
}
