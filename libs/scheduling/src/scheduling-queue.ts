import type { CommandCause } from '@periplus/client';
import { Heap } from './heap.ts';
import type { ClusterEvent } from './plugin.ts';
import type { PodInfo } from './pod-info.ts';
import type { PodShape } from './pod-shape.ts';

/** How long a pod waits after its first attempt that failed, twice as long after each other one, and at most. */
export interface Backoff {
  readonly msMin: number;
  readonly msMax: number;
}

export const DEFAULT_BACKOFF: Backoff = { msMin: 1_000, msMax: 10_000 };

/** A pod that nothing has woken is looked at again after this time all the same. */
const REFUSED_MS_MAX = 300_000;

/** The states of a pod in the queue; the first three are named as kube-scheduler's metrics name its queues. */
export type QueueState = 'active' | 'backoff' | 'unschedulable' | 'deciding' | 'removed';

/** A pod that has no node yet, and what became of it so far. */
export interface Waiting {
  pod: PodInfo;
  /** What made it due: its creation, or the change that woke it. */
  cause: CommandCause | null;
  readonly sinceMs: number;
  attempts: number;
  state: QueueState;
  /** Not before: the end of its backoff. */
  readyMs: number;
  /** When it was found not to fit. */
  refusedMs: number;
  /** While it fits nowhere: whether others are leaving a node for it, whose going is told to it alone. */
  isNominated: boolean;
}

/** Pods of one shape that fit nowhere. */
interface RefusedPods {
  readonly pods: Set<Waiting>;
  readonly wakesOn: Set<ClusterEvent>;
}

const isNext = ({ pod: a }: Waiting, { pod: b }: Waiting): boolean => {
  if (a.priority !== b.priority) return a.priority > b.priority;
  if (a.createRevision !== b.createRevision) return a.createRevision < b.createRevision;
  return a.uid < b.uid;
};

/**
 * The pods that have no node yet: active ones, by priority and age; ones in backoff; and ones that fit nowhere,
 * which wait for the change that could help. Every clock reading is an argument.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/scheduling-framework/#queue-sort
 */
export class SchedulingQueue {
  private readonly backoff: Backoff;
  private readonly all = new Map<string, Waiting>();
  /** Pods that were removed stay in the heaps until they surface. */
  private readonly active = new Heap<Waiting>(isNext);
  private readonly backingOff = new Heap<{ readyMs: number; waiting: Waiting }>((a, b) => a.readyMs < b.readyMs);
  private readonly refused = new Map<PodShape, RefusedPods>();
  /** Of the same sort, those that are nominated: pods that go concern only the one that they go for. */
  private readonly nominated = new Map<PodShape, RefusedPods>();
  /** The same pods, the longest refused first. */
  private readonly refusedInOrder = new Set<Waiting>();

  constructor(backoff = DEFAULT_BACKOFF) {
    this.backoff = backoff;
  }

  count(state: QueueState): number {
    let count = 0;
    for (const waiting of this.all.values()) if (waiting.state === state) count += 1;
    return count;
  }

  has(uid: string): boolean {
    return this.all.has(uid);
  }

  /** Adds a pod, or takes its new state: a change of its spec may make it fit. */
  add(pod: PodInfo, cause: CommandCause | null, nowMs: number): void {
    const known = this.all.get(pod.uid);
    if (!known) {
      const times = { sinceMs: nowMs, readyMs: 0, refusedMs: 0 };
      const waiting: Waiting = { pod, cause, attempts: 0, state: 'active', isNominated: false, ...times };
      this.all.set(pod.uid, waiting);
      this.active.push(waiting);
      return;
    }
    if (known.pod.shape === pod.shape) {
      known.pod = pod;
      return;
    }
    if (known.state === 'unschedulable') {
      this.leaveRefused(known);
      known.cause = cause;
      this.release(known, nowMs);
    }
    known.pod = pod;
  }

  remove(uid: string): void {
    const waiting = this.all.get(uid);
    if (!waiting) return;
    this.all.delete(uid);
    if (waiting.state === 'unschedulable') this.leaveRefused(waiting);
    waiting.state = 'removed';
  }

  /** The next pod to decide about, or undefined. It stays known until it is removed or put back. */
  pop(nowMs: number): Waiting | undefined {
    this.wakeByTime(nowMs);
    const next = this.nextActive();
    if (!next) return undefined;
    this.active.pop();
    next.attempts += 1;
    next.state = 'deciding';
    return next;
  }

  /**
   * Puts a popped pod back: it fits nowhere until one of these changes comes. One that is nominated is told with
   * `activate` of pods that leave its node, and not woken by any that leave.
   */
  refuse(waiting: Waiting, wakesOn: ReadonlySet<ClusterEvent>, nowMs: number, isNominated = false): void {
    if (waiting.state !== 'deciding') return;
    waiting.state = 'unschedulable';
    waiting.isNominated = isNominated;
    waiting.refusedMs = nowMs;
    waiting.readyMs = nowMs + this.backoffMs(waiting);
    this.refusedInOrder.add(waiting);
    const refused = this.refusedLike(waiting);
    const alike = refused.get(waiting.pod.shape) ?? { pods: new Set(), wakesOn: new Set() };
    refused.set(waiting.pod.shape, alike);
    alike.pods.add(waiting);
    for (const event of wakesOn) if (!isNominated || event !== 'PodGone') alike.wakesOn.add(event);
  }

  /** Puts a popped pod back after an error: it is tried again after its backoff. */
  retry(waiting: Waiting, nowMs: number): void {
    if (waiting.state !== 'deciding') return;
    waiting.readyMs = nowMs + this.backoffMs(waiting);
    this.release(waiting, nowMs);
  }

  /** Looks at a refused pod again at once: its place is free, or what it waited for has failed. */
  activate(uid: string, cause: CommandCause | null): void {
    const waiting = this.all.get(uid);
    if (waiting?.state !== 'unschedulable') return;
    this.leaveRefused(waiting);
    waiting.cause = cause ?? waiting.cause;
    this.toActive(waiting);
  }

  /** Looks at a refused pod again after its backoff: more is known of it. */
  reconsider(uid: string, cause: CommandCause | null, nowMs: number): void {
    const waiting = this.all.get(uid);
    if (waiting?.state !== 'unschedulable') return;
    this.leaveRefused(waiting);
    waiting.cause = cause;
    this.release(waiting, nowMs);
  }

  /** Whether a change of the cluster could wake anything. */
  get hasRefused(): boolean {
    return this.refused.size + this.nominated.size > 0;
  }

  /**
   * A node has changed. `refusedBy` says what has to change of it before pods of a shape fit there, null when they
   * do: those are looked at again, after their backoff; the others go on waiting, for that too.
   */
  wake(
    events: readonly ClusterEvent[],
    refusedBy: (shape: PodShape) => readonly ClusterEvent[] | null,
    cause: CommandCause | null,
    nowMs: number,
  ): void {
    for (const refused of [this.nominated, this.refused]) this.wakeAmong(refused, events, refusedBy, cause, nowMs);
  }

  private wakeAmong(
    refused: Map<PodShape, RefusedPods>,
    ...[events, refusedBy, cause, nowMs]: Parameters<SchedulingQueue['wake']>
  ): void {
    for (const [shape, { pods, wakesOn }] of refused) {
      if (!events.some((event) => wakesOn.has(event))) continue;
      const missing = refusedBy(shape);
      if (missing !== null) {
        for (const event of missing) wakesOn.add(event);
        continue;
      }
      refused.delete(shape);
      for (const waiting of pods) {
        this.refusedInOrder.delete(waiting);
        waiting.cause = cause;
        this.release(waiting, nowMs);
      }
    }
  }

  /** When there will be something to pop if nothing changes; undefined when never. */
  nextMs(): number | undefined {
    if (this.nextActive()) return 0;
    const ready = this.nextReady()?.readyMs ?? Number.POSITIVE_INFINITY;
    const [longest] = this.refusedInOrder;
    const due = longest ? longest.refusedMs + REFUSED_MS_MAX : Number.POSITIVE_INFINITY;
    const next = Math.min(ready, due);
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  private wakeByTime(nowMs: number): void {
    for (const waiting of this.refusedInOrder) {
      if (waiting.refusedMs + REFUSED_MS_MAX > nowMs) break;
      this.leaveRefused(waiting);
      this.toActive(waiting);
    }
    for (let next = this.nextReady(); next && next.readyMs <= nowMs; next = this.nextReady()) {
      this.backingOff.pop();
      this.toActive(next.waiting);
    }
  }

  private nextActive(): Waiting | undefined {
    const { active } = this;
    while (active.peek()?.state === 'removed') active.pop();
    return active.peek();
  }

  private nextReady(): { readyMs: number; waiting: Waiting } | undefined {
    const { backingOff } = this;
    while (backingOff.peek()?.waiting.state === 'removed') backingOff.pop();
    return backingOff.peek();
  }

  /** Looked at as soon as its backoff is over. */
  private release(waiting: Waiting, nowMs: number): void {
    if (waiting.readyMs <= nowMs) {
      this.toActive(waiting);
      return;
    }
    waiting.state = 'backoff';
    this.backingOff.push({ readyMs: waiting.readyMs, waiting });
  }

  private toActive(waiting: Waiting): void {
    waiting.state = 'active';
    this.active.push(waiting);
  }

  private refusedLike({ isNominated }: Waiting): Map<PodShape, RefusedPods> {
    return isNominated ? this.nominated : this.refused;
  }

  private backoffMs({ attempts }: Waiting): number {
    const { msMin, msMax } = this.backoff;
    return Math.min(msMin * 2 ** (attempts - 1), msMax);
  }

  private leaveRefused(waiting: Waiting): void {
    this.refusedInOrder.delete(waiting);
    const refused = this.refusedLike(waiting);
    const alike = refused.get(waiting.pod.shape)!;
    alike.pods.delete(waiting);
    if (alike.pods.size === 0) refused.delete(waiting.pod.shape);
  }
}
