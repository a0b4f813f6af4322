import type { Clock } from './clock.ts';

interface Delayed<Value> {
  dueMs: number;
  key: string;
  value: Value;
}

/**
 * Values that come due later, one per key; one timer for all of them. A binary heap by due time: an entry that was
 * replaced or deleted stays in it until it surfaces, or until such entries are the majority.
 */
export class DelayQueue<Value> {
  private readonly clock: Clock;
  private readonly onDue: (key: string, value: Value) => void;
  private heap: Delayed<Value>[] = [];
  private readonly current = new Map<string, Delayed<Value>>();
  private timer: { dueMs: number; cancel(): void } | null = null;

  constructor(clock: Clock, onDue: (key: string, value: Value) => void) {
    this.clock = clock;
    this.onDue = onDue;
  }

  get size(): number {
    return this.current.size;
  }

  set(key: string, delayMs: number, value: Value): void {
    const entry = { dueMs: this.clock.nowMs() + delayMs, key, value };
    this.current.set(key, entry);
    this.push(entry);
    this.arm();
  }

  delete(key: string): void {
    this.current.delete(key);
  }

  clear(): void {
    this.current.clear();
    this.heap = [];
    this.timer?.cancel();
    this.timer = null;
  }

  /** Sets the timer for the earliest entry, unless one rings early enough already. */
  private arm(): void {
    const first = this.heap[0];
    if (!first || (this.timer && this.timer.dueMs <= first.dueMs)) return;
    this.timer?.cancel();
    const cancel = this.clock.after(Math.max(0, first.dueMs - this.clock.nowMs()), () => this.ring());
    this.timer = { dueMs: first.dueMs, cancel };
  }

  private ring(): void {
    this.timer = null;
    const nowMs = this.clock.nowMs();
    for (let first = this.heap[0]; first && first.dueMs <= nowMs; first = this.heap[0]) {
      this.pop();
      if (this.current.get(first.key) !== first) continue;
      this.current.delete(first.key);
      this.onDue(first.key, first.value);
    }
    this.arm();
  }

  private push(entry: Delayed<Value>): void {
    if (this.heap.length > 64 && this.heap.length > 2 * this.current.size) this.rebuild();
    else this.siftUp(entry);
  }

  /** `current` has the new entry already. */
  private rebuild(): void {
    this.heap = [...this.current.values()].sort((a, b) => a.dueMs - b.dueMs);
  }

  private siftUp(entry: Delayed<Value>): void {
    const { heap } = this;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]!.dueMs <= entry.dueMs) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && heap[child + 1]!.dueMs < heap[child]!.dueMs) child += 1;
      if (heap[child]!.dueMs >= last.dueMs) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}
