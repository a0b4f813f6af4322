import type { Pod } from '@periplus/api';
import type { DeepReadonly, Labels } from '@periplus/apimachinery';

type Spec = DeepReadonly<Pod>['spec'];
export type Container = Spec['containers'][number];

/** A pod, or the template of some. */
export interface PodLike {
  readonly metadata?: { readonly annotations?: Labels };
  readonly spec: Spec;
}

/** What is wrong with a pod: `privileged (container "a" must not set securityContext.privileged=true)`. */
export interface Violation {
  readonly reason: string;
  readonly detail: string;
}

/** One rule of a level, as it is since a minor release. */
export interface Check {
  /** By which Kubernetes orders them. */
  readonly id: string;
  /** The newest that is not newer than the policy counts; the first one first. */
  readonly versions: readonly { readonly since: number; check(pod: PodLike): Violation | undefined }[];
  /** Of the restricted level: the baseline check whose place it takes. */
  readonly overrides?: string;
}

/** All of a pod, in the order that they start. */
export const containersOf = ({ spec }: PodLike): readonly Container[] => [
  ...(spec.initContainers ?? []),
  ...spec.containers,
  ...((spec.ephemeralContainers ?? []) as readonly Container[]),
];

export const namesOf = (containers: readonly Container[]): string[] => containers.map(({ name }) => name);

export const quoted = (texts: readonly string[]): string => texts.map((text) => JSON.stringify(text)).join(', ');

export const sorted = (texts: Iterable<string>): string[] => [...new Set(texts)].sort();

/** `container "a"`, `containers "a", "b"` */
export const some = (one: string, names: readonly string[]): string =>
  `${names.length === 1 ? one : `${one}s`} ${quoted(names)}`;

/** The pod itself, and those of its containers, that say what they must not: `pod and container "a"`; '' for none. */
export const settersOf = (podDoes: boolean, containers: readonly string[]): string =>
  [...(podDoes ? ['pod'] : []), ...(containers.length > 0 ? [some('container', containers)] : [])].join(' and ');

export const isWindows = ({ spec }: PodLike): boolean => spec.os?.name === 'windows';
/** In a user namespace of its own, root is nobody outside. */
export const hasOwnUsers = ({ spec }: PodLike): boolean => spec.hostUsers === false;
