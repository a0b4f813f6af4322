/** What is let pass in pods although it does not do what its author thinks. */
import { type DeepReadonly, type FieldPath, parseQuantity, quantityProblem } from '@periplus/apimachinery';
import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IContainerPort } from 'kubernetes-models/v1/ContainerPort';
import type { INodeSelectorTerm } from 'kubernetes-models/v1/NodeSelectorTerm';
import type { IPodAffinityTerm } from 'kubernetes-models/v1/PodAffinityTerm';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import type { IPodTemplateSpec } from 'kubernetes-models/v1/PodTemplateSpec';
import { warnOfAddress } from '../address-warnings.ts';
import { DEPRECATED_NODE_LABELS } from '../deprecated-node-labels.ts';
import { type Warnings, warn } from '../field-rules.ts';
import { warnOfPaths } from './volume-paths.ts';

type Spec = DeepReadonly<IPodSpec>;
type Container = DeepReadonly<IContainer>;
type Port = DeepReadonly<IContainerPort>;
type Annotations = Readonly<Record<string, string>>;

const DEPRECATED_ANNOTATIONS: ReadonlyMap<string, string> = new Map([
  ['scheduler.alpha.kubernetes.io/critical-pod', 'non-functional in v1.16+; use the "priorityClassName" field instead'],
  ['security.alpha.kubernetes.io/sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
  ['security.alpha.kubernetes.io/unsafe-sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
]);

const DEPRECATED_VOLUMES: ReadonlyMap<string, string> = new Map([
  ['photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'deprecated in v1.11'],
  ['scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'deprecated in v1.28, non-functional in v1.31+'],
]);

const SECCOMP_OF_POD = 'seccomp.security.alpha.kubernetes.io/pod';
const SECCOMP_OF_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/';
const APP_ARMOR_OF_CONTAINER = 'container.apparmor.security.beta.kubernetes.io/';
const NO_SECCOMP = 'non-functional in v1.27+; use the "seccompProfile" field instead';
const NO_APP_ARMOR = 'deprecated since v1.30; use the "appArmorProfile" field instead';
const NO_SELECTOR = 'a null labelSelector results in matching no pod';
const BYTES = ['memory', 'ephemeral-storage'];
/** As most amounts are written. */
const WHOLE = /^\d+(?:[kKMGTPE]i?)?$/;
/** With as many earlier ports of its number a port is compared. */
const COMPARED_MAX = 16;
const CONTAINER_LISTS = ['initContainers', 'containers', 'ephemeralContainers'] as const;

/** Warns of a number of bytes that is none. `at` leads to what holds the amounts. */
export function warnOfFractions(
  warnings: Warnings,
  at: FieldPath,
  map: string,
  amounts: Readonly<Record<string, string | number>> | undefined,
  resources: readonly string[] = BYTES,
): void {
  if (!amounts) return;
  for (const resource of resources) {
    const amount = amounts[resource];
    if (amount === undefined || WHOLE.test(String(amount)) || quantityProblem(amount) !== undefined) continue;
    const quantity = parseQuantity(amount);
    if (quantity.milliValue() % 1000 === 0) continue;
    warn(warnings, at.key(map, resource), `fractional byte value "${quantity}" is invalid, must be an integer`);
  }
}

export function warnOfTerm(warnings: Warnings, at: FieldPath, term: DeepReadonly<INodeSelectorTerm> | undefined): void {
  term?.matchExpressions?.forEach(({ key }, i) => {
    const why = DEPRECATED_NODE_LABELS.get(key);
    if (why) warn(warnings, at.index('matchExpressions', i).child('key'), `${key} is ${why}`);
  });
}

interface PodTerms {
  requiredDuringSchedulingIgnoredDuringExecution?: readonly IPodAffinityTerm[];
  preferredDuringSchedulingIgnoredDuringExecution?: readonly { podAffinityTerm?: IPodAffinityTerm }[];
}

function warnOfPodTerms(warnings: Warnings, at: FieldPath, terms: DeepReadonly<PodTerms> | undefined): void {
  terms?.requiredDuringSchedulingIgnoredDuringExecution?.forEach(({ labelSelector }, i) => {
    const place = at.index('requiredDuringSchedulingIgnoredDuringExecution', i);
    if (!labelSelector) warn(warnings, place.child('labelSelector'), NO_SELECTOR);
  });
  terms?.preferredDuringSchedulingIgnoredDuringExecution?.forEach(({ podAffinityTerm }, i) => {
    const place = at.index('preferredDuringSchedulingIgnoredDuringExecution', i);
    if (!podAffinityTerm?.labelSelector) warn(warnings, place.child('podAffinityTerm', 'labelSelector'), NO_SELECTOR);
  });
}

/** Where the pod wants to go. */
function warnOfPlaces(warnings: Warnings, at: FieldPath, spec: Spec): void {
  for (const label in spec.nodeSelector) {
    const why = DEPRECATED_NODE_LABELS.get(label);
    if (why) warn(warnings, at.key('nodeSelector', label), why);
  }
  spec.topologySpreadConstraints?.forEach(({ topologyKey, labelSelector }, i) => {
    const place = at.index('topologySpreadConstraints', i);
    const why = DEPRECATED_NODE_LABELS.get(topologyKey);
    if (why) warn(warnings, place.child('topologyKey'), `${topologyKey} is ${why}`);
    if (!labelSelector) warn(warnings, place.child('labelSelector'), NO_SELECTOR);
  });
  if (!spec.affinity) return;
  const { nodeAffinity, podAffinity, podAntiAffinity } = spec.affinity;
  const place = at.child('affinity', 'nodeAffinity');
  nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms?.forEach((term, i) => {
    const required = place.child('requiredDuringSchedulingIgnoredDuringExecution');
    warnOfTerm(warnings, required.index('nodeSelectorTerms', i), term);
  });
  nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution?.forEach(({ preference }, i) => {
    const preferred = place.index('preferredDuringSchedulingIgnoredDuringExecution', i);
    warnOfTerm(warnings, preferred.child('preference'), preference);
  });
  warnOfPodTerms(warnings, at.child('affinity', 'podAffinity'), podAffinity);
  warnOfPodTerms(warnings, at.child('affinity', 'podAntiAffinity'), podAntiAffinity);
}

/** Of a type of volume that is no more, or will not be for ever. `at` leads to what has it. */
export function warnOfOldVolume(warnings: Warnings, at: FieldPath, volume: object): void {
  for (const type in volume) {
    const why = DEPRECATED_VOLUMES.get(type);
    if (why) warn(warnings, at.child(type === 'storageos' ? 'storageOS' : type), why);
  }
}

function warnOfVolumes(warnings: Warnings, at: FieldPath, { volumes }: Spec): void {
  volumes?.forEach((volume, i) => {
    warnOfOldVolume(warnings, at.index('volumes', i), volume);
    warnOfPaths(warnings, volume);
    const claim = volume.ephemeral?.volumeClaimTemplate?.spec;
    if (!claim) return;
    const place = at.index('volumes', i).child('ephemeral', 'volumeClaimTemplate', 'spec', 'resources');
    warnOfFractions(warnings, place, 'requests', claim.resources?.requests, ['storage']);
  });
}

/** Calls `found` for each item whose `of` an earlier one has. */
function repeated<T>(items: readonly T[] | undefined, of: (item: T) => string, found: (item: T, i: number) => void) {
  if (!items || items.length < 2) return;
  const seen = new Set<string>();
  items.forEach((item, i) => {
    if (seen.size === seen.add(of(item)).size) found(item, i);
  });
}

/** A later definition may build on an earlier one of its name; another hides it. */
function warnOfEnv(warnings: Warnings, at: FieldPath, { env }: Container): void {
  const nameOf = ({ name }: { name: string }): string => name;
  repeated(env, nameOf, ({ name, value = '', valueFrom }, i) => {
    const reference = `$(${name})`;
    if (!valueFrom && value !== reference && value.includes(reference)) return;
    const why = `hides previous definition of "${name}", which may be dropped when using apply`;
    warn(warnings, at.index('env', i), why);
  });
}

interface PlacedPort {
  readonly port: Port;
  readonly at: FieldPath;
}

function conflictOf(port: Port, other: Port): string {
  const { hostIP = '', hostPort = 0 } = port;
  const { hostIP: otherIP = '', hostPort: otherPort = 0 } = other;
  if (hostIP === otherIP && hostPort === otherPort) return 'duplicate';
  if (hostPort === 0 || otherPort === 0) return 'overlapping';
  return hostPort === otherPort && (hostIP === '') !== (otherIP === '') ? 'dangerously ambiguous' : '';
}

function warnOfPorts(warnings: Warnings, placed: readonly PlacedPort[]): void {
  const earlier = new Map<string, PlacedPort[]>();
  for (const here of placed) {
    const { port, at } = here;
    const { name = '', containerPort, protocol, hostIP, hostPort } = port;
    if (hostIP && !hostPort) {
      const all = `{Name:${name} HostPort:0 ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`;
      warn(warnings, at, `hostIP set without hostPort: ${all}`);
    }
    const others = earlier.get(`${containerPort}/${protocol}`);
    for (const other of others ?? []) {
      const conflict = conflictOf(port, other.port);
      if (conflict) warn(warnings, at, `${conflict} port definition with ${other.at.text}`);
    }
    if (!others) earlier.set(`${containerPort}/${protocol}`, [here]);
    else if (others.length < COMPARED_MAX) others.push(here);
  }
}

function warnOfContainers(warnings: Warnings, at: FieldPath, spec: Spec, visit: (container: Container) => void): void {
  const ports: PlacedPort[] = [];
  for (const list of CONTAINER_LISTS) {
    const containers = (spec[list] ?? []) as readonly Container[];
    containers.forEach((container, i) => {
      visit(container);
      const place = at.index(list, i);
      const { limits, requests } = container.resources ?? {};
      warnOfFractions(warnings, place.child('resources'), 'limits', limits);
      warnOfFractions(warnings, place.child('resources'), 'requests', requests);
      warnOfEnv(warnings, place, container);
      container.ports?.forEach((port, position) => {
        ports.push({ port, at: place.index('ports', position) });
      });
    });
  }
  warnOfPorts(warnings, ports);
}

/** `at` leads to the pod, which is one itself or the template of some. */
export function warnOfPod(
  warnings: Warnings,
  at: FieldPath,
  { metadata, spec }: DeepReadonly<IPodTemplateSpec>,
  isTemplate: boolean,
): void {
  if (!spec) return;
  const place = at.child('spec');
  const annotations: Annotations = metadata?.annotations ?? {};
  const annotated = (key: string, why: string | undefined): void => {
    if (why && annotations[key] !== undefined) warn(warnings, at.child('metadata').key('annotations', key), why);
  };
  warnOfPlaces(warnings, place, spec);
  for (const key in annotations) annotated(key, DEPRECATED_ANNOTATIONS.get(key));
  warnOfVolumes(warnings, place, spec);
  const ipOf = ({ ip }: { ip: string }): string => ip;
  repeated(spec.hostAliases, ipOf, ({ ip }, i) => {
    warn(warnings, place.index('hostAliases', i).child('ip'), `duplicate ip "${ip}"`);
  });
  const nameOf = ({ name = '' }: { name?: string }): string => name;
  repeated(spec.imagePullSecrets, nameOf, ({ name = '' }, i) => {
    warn(warnings, place.index('imagePullSecrets', i).child('name'), `duplicate name "${name}"`);
  });
  spec.imagePullSecrets?.forEach(({ name }, i) => {
    if (!name) warn(warnings, place.index('imagePullSecrets', i).child('name'), 'invalid empty name ""');
  });
  warnOfFractions(warnings, place, 'overhead', spec.overhead);
  const { seccompProfile, appArmorProfile } = spec.securityContext ?? {};
  if (!seccompProfile) annotated(SECCOMP_OF_POD, NO_SECCOMP);
  warnOfContainers(warnings, place, spec, ({ name, securityContext }) => {
    if (!securityContext?.seccompProfile) annotated(SECCOMP_OF_CONTAINER + name, NO_SECCOMP);
    if (!isTemplate || appArmorProfile || securityContext?.appArmorProfile) return;
    annotated(APP_ARMOR_OF_CONTAINER + name, NO_APP_ARMOR);
  });
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    const why = 'must be >= 0; negative values are invalid and will be treated as 1';
    warn(warnings, place.child('terminationGracePeriodSeconds'), why);
  }
  spec.dnsConfig?.nameservers?.forEach((address, i) => {
    warnOfAddress(warnings, place.child('dnsConfig').index('nameservers', i), address);
  });
  spec.hostAliases?.forEach(({ ip }, i) => {
    warnOfAddress(warnings, place.index('hostAliases', i).child('ip'), ip);
  });
}
