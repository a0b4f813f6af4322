import type { NodeTable } from '../node-table.ts';
import type { PodInfo } from '../pod-info.ts';

interface Nomination {
  readonly pod: PodInfo;
  readonly node: string;
}

/** Under which a nominated pod counts on its node: as nobody that could be preempted. */
const reservation = (uid: string): string => `nominated/${uid}`;

/**
 * The pods for which others are leaving a node. Their place counts as taken, but only to pods that are not more
 * important than they are: `countFor` says whose turn it is.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/#user-exposed-information
 */
export class Nominations {
  private readonly table: NodeTable;
  private readonly byUid = new Map<string, Nomination>();
  private readonly byNode = new Map<string, Set<Nomination>>();
  /** Those of this priority or a higher one count. */
  private priority = Number.NEGATIVE_INFINITY;

  constructor(table: NodeTable) {
    this.table = table;
  }

  nodeOf(uid: string): string | undefined {
    return this.byUid.get(uid)?.node;
  }

  /** The pods that were promised the node. */
  on(node: string): PodInfo[] {
    return [...(this.byNode.get(node) ?? [])].map(({ pod }) => pod);
  }

  nominate(pod: PodInfo, node: string): void {
    this.withdraw(pod.uid);
    const nomination = { pod, node };
    this.byUid.set(pod.uid, nomination);
    const others = this.byNode.get(node) ?? new Set();
    this.byNode.set(node, others.add(nomination));
    if (pod.priority >= this.priority) this.reserve(nomination);
  }

  withdraw(uid: string): void {
    const nomination = this.byUid.get(uid);
    if (!nomination) return;
    this.byUid.delete(uid);
    const others = this.byNode.get(nomination.node)!;
    others.delete(nomination);
    if (others.size === 0) this.byNode.delete(nomination.node);
    this.table.displace(reservation(uid));
  }

  /** Counts the nominated pods that come before a pod of this priority, and no others. Costs nothing while that stays. */
  countFor(priority: number): void {
    const before = this.priority;
    this.priority = priority;
    if (before === priority) return;
    for (const nomination of this.byUid.values()) {
      const { pod } = nomination;
      if (pod.priority >= priority && pod.priority < before) this.reserve(nomination);
      else if (pod.priority < priority && pod.priority >= before) this.table.displace(reservation(pod.uid));
    }
  }

  /** Runs `decide` while the place of this pod does not count. */
  aside<T>(uid: string, decide: () => T): T {
    const nomination = this.byUid.get(uid);
    if (!nomination) return decide();
    this.table.displace(reservation(uid));
    try {
      return decide();
    } finally {
      this.reserve(nomination);
    }
  }

  private reserve({ pod, node }: Nomination): void {
    this.table.place(reservation(pod.uid), pod.shape, node);
  }
}
