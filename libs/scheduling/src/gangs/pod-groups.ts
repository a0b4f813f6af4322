import type { PodGroup } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import type { Depicted } from '../depicted.ts';
import type { PodInfo } from '../pod-info.ts';

type Policy = DeepReadonly<PodGroup>['spec']['schedulingPolicy'];

const isBefore = (one: PodInfo, other: PodInfo): number =>
  other.priority - one.priority || one.createRevision - other.createRevision || (one.uid < other.uid ? -1 : 1);

/** The pods of one group. */
export class Group {
  readonly namespace: string;
  readonly name: string;
  /** Under which the queue knows a gang; no pod has it. */
  readonly uid: string;
  /** Undefined while there is no such PodGroup: its pods wait for it. */
  policy: Policy | undefined;
  /** Of the PodGroup. */
  objectUid = '';
  /** Those that have no node. */
  readonly pending = new Map<string, PodInfo>();
  /** Those that have one, or were just given one. */
  readonly placed = new Set<string>();
  /** Why it has no nodes, as last said. */
  said = '';

  constructor(namespace: string, name: string) {
    this.namespace = namespace;
    this.name = name;
    this.uid = `podgroup/${namespace}/${name}`;
  }

  get minCount(): number {
    return this.policy?.gang?.minCount ?? 0;
  }

  /** How many more must have a node before any gets one. */
  get needed(): number {
    return Math.max(0, this.minCount - this.placed.size);
  }

  /** Whether there are pods to place, and as many as it takes. */
  get isReady(): boolean {
    return this.pending.size > 0 && this.pending.size >= this.needed;
  }

  /** The most important first, the oldest of equals. */
  inOrder(): PodInfo[] {
    return [...this.pending.values()].sort(isBefore);
  }

  /** It goes through the queue in the place of its first pod. */
  asPod(): PodInfo {
    let first: PodInfo | undefined;
    for (const pod of this.pending.values()) if (first === undefined || isBefore(pod, first) < 0) first = pod;
    return { ...first!, uid: this.uid };
  }
}

export const groupNameOf = ({ pod }: Pick<PodInfo, 'pod'>): string | undefined =>
  pod.spec.schedulingGroup?.podGroupName;

/**
 * The groups that pods name, and who of them has a node.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/gang-scheduling/
 */
export class PodGroups {
  private readonly groups = new Map<string, Group>();
  private readonly byPod = new Map<string, Group>();

  /** Takes what a PodGroup says. */
  set({ key, object }: Depicted): Group {
    const group = this.group(key.namespace, key.name);
    const { metadata, spec } = object as unknown as DeepReadonly<PodGroup>;
    group.policy = spec.schedulingPolicy;
    group.objectUid = metadata.uid ?? '';
    return group;
  }

  delete({ key }: Depicted): Group {
    const group = this.group(key.namespace, key.name);
    group.policy = undefined;
    this.forgetIfEmpty(group);
    return group;
  }

  /** The gang that the queue knows under this uid. */
  gang(uid: string): Group | undefined {
    return this.groups.get(uid);
  }

  /** The group of a pod. */
  of(uid: string): Group | undefined {
    return this.byPod.get(uid);
  }

  /** Under which uid the queue knows a pod: its own, or that of its gang. */
  queuedAs(uid: string): string {
    const group = this.byPod.get(uid);
    return group?.policy?.gang ? group.uid : uid;
  }

  /** Takes a pod without a node, or its new state. Whether that changes what its group needs or has. */
  addPending(pod: PodInfo, name: string): boolean {
    const group = this.group(pod.pod.metadata.namespace!, name);
    const before = group.pending.get(pod.uid);
    group.placed.delete(pod.uid);
    group.pending.set(pod.uid, pod);
    this.byPod.set(pod.uid, group);
    return before?.shape !== pod.shape;
  }

  /** Takes a pod that has a node. Whether it was thought to have none. */
  addPlaced(uid: string, namespace: string, name: string): boolean {
    const group = this.group(namespace, name);
    group.placed.add(uid);
    this.byPod.set(uid, group);
    return group.pending.delete(uid);
  }

  remove(uid: string): void {
    const group = this.byPod.get(uid);
    if (!group) return;
    this.byPod.delete(uid);
    group.pending.delete(uid);
    group.placed.delete(uid);
    this.forgetIfEmpty(group);
  }

  private group(namespace: string, name: string): Group {
    const made = new Group(namespace, name);
    const group = this.groups.get(made.uid) ?? made;
    this.groups.set(group.uid, group);
    return group;
  }

  private forgetIfEmpty({ uid, policy, pending, placed }: Group): void {
    if (policy === undefined && pending.size === 0 && placed.size === 0) this.groups.delete(uid);
  }
}
