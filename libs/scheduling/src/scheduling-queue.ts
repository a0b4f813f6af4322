import type { ClusterEvent } from './plugin.ts';
import type { PodInfo } from './pod-info.ts';

const BACKOFF_MS_MIN = 1_000;
const BACKOFF_MS_MAX = 10_000;
/** A pod that nothing has woken is looked at again after this time all the same. */
const UNSCHEDULABLE_MS_MAX = 300_000;

interface Waiting {
  pod: PodInfo;
  attempts: number;
  /** Not before: the end of its backoff. */
  readyMs: number;
  /** When it was found not to fit; undefined in the active queue and in backoff. */
  refusedMs: number | undefined;
  wakesOn: ReadonlySet<ClusterEvent>;
}

const NOTHING: ReadonlySet<ClusterEvent> = new Set();

/**
 * The pods that have no node yet: ready ones, by priority and age; ones in backoff; and ones that fit nowhere,
 * which wait for the change that could help. Every clock reading is an argument.
 */
export class SchedulingQueue {
  private readonly all = new Map<string, Waiting>();
  /** Sorted so that the next one is last; sorted again only when pods have come. */
  private active: Waiting[] = [];
  private isSorted = true;
  private readonly backingOff = new Set<Waiting>();
  private readonly unschedulable = new Set<Waiting>();

  get size(): number {
    return this.all.size;
  }

  /** Adds a pod, or takes its new state: a change of its spec may make it fit. */
  add(pod: PodInfo): void {
    const known = this.all.get(pod.uid);
    if (!known) {
      const waiting = { pod, attempts: 0, readyMs: 0, refusedMs: undefined, wakesOn: NOTHING };
      this.all.set(pod.uid, waiting);
      this.activate(waiting);
      return;
    }
    const changed = known.pod.signature !== pod.signature || known.pod.priority !== pod.priority;
    known.pod = pod;
    if (changed && this.unschedulable.delete(known)) this.activate(known);
  }

  remove(uid: string): void {
    const waiting = this.all.get(uid);
    if (!waiting) return;
    this.all.delete(uid);
    this.backingOff.delete(waiting);
    this.unschedulable.delete(waiting);
    // What stands in the active queue is left out when it is popped.
  }

  /** The next pod to decide about, or undefined. It stays known until it is removed or put back. */
  pop(nowMs: number): PodInfo | undefined {
    this.wakeByTime(nowMs);
    if (!this.isSorted) {
      this.active.sort(
        (a, b) =>
          a.pod.priority - b.pod.priority || b.pod.createdMs - a.pod.createdMs || (a.pod.uid < b.pod.uid ? 1 : -1),
      );
      this.isSorted = true;
    }
    for (let next = this.active.pop(); next; next = this.active.pop()) {
      if (this.all.get(next.pod.uid) === next) {
        next.attempts += 1;
        return next.pod;
      }
    }
    return undefined;
  }

  /** Puts a popped pod back: it fits nowhere until one of these changes comes. */
  refuse(uid: string, wakesOn: ReadonlySet<ClusterEvent>, nowMs: number): void {
    const waiting = this.all.get(uid);
    if (!waiting) return;
    waiting.refusedMs = nowMs;
    waiting.readyMs = nowMs + backoffMs(waiting.attempts);
    waiting.wakesOn = wakesOn;
    this.unschedulable.add(waiting);
  }

  /** Puts a popped pod back after an error: it is tried again after its backoff. */
  retry(uid: string, nowMs: number): void {
    const waiting = this.all.get(uid);
    if (!waiting) return;
    waiting.readyMs = nowMs + backoffMs(waiting.attempts);
    this.backingOff.add(waiting);
  }

  /** Something changed: pods that it could help are looked at again, after their backoff. */
  wake(event: ClusterEvent): void {
    for (const waiting of this.unschedulable) {
      if (!waiting.wakesOn.has(event)) continue;
      this.unschedulable.delete(waiting);
      waiting.refusedMs = undefined;
      this.backingOff.add(waiting);
    }
  }

  /** When there will be something to pop if nothing changes; undefined when never. */
  nextMs(): number | undefined {
    if (this.active.length > 0) return 0;
    let next: number | undefined;
    for (const { readyMs } of this.backingOff) next = Math.min(next ?? readyMs, readyMs);
    for (const { refusedMs } of this.unschedulable) {
      const due = refusedMs! + UNSCHEDULABLE_MS_MAX;
      next = Math.min(next ?? due, due);
    }
    return next;
  }

  private wakeByTime(nowMs: number): void {
    for (const waiting of this.unschedulable) {
      if (waiting.refusedMs! + UNSCHEDULABLE_MS_MAX > nowMs) continue;
      this.unschedulable.delete(waiting);
      this.activate(waiting);
    }
    for (const waiting of this.backingOff) {
      if (waiting.readyMs > nowMs) continue;
      this.backingOff.delete(waiting);
      this.activate(waiting);
    }
  }

  private activate(waiting: Waiting): void {
    waiting.refusedMs = undefined;
    this.active.push(waiting);
    this.isSorted = false;
  }
}

const backoffMs = (attempts: number): number =>
  Math.min(BACKOFF_MS_MIN * 2 ** Math.max(0, attempts - 1), BACKOFF_MS_MAX);
