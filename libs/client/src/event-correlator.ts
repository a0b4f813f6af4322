/**
 * Keeps Kubernetes Events few and telling: the same event again raises the count of the first, many that differ only in
 * their message become one, and an object that is spoken of without end is spoken of less.
 * The rules and figures are those of client-go's event correlator:
 * https://github.com/kubernetes/client-go/blob/master/tools/record/events_cache.go
 */
export interface EventFacts {
  /** Kind, namespace, name and uid of the object, in one string. */
  about: string;
  type: string;
  reason: string;
  message: string;
}

/** One Event object and what is known of it. */
export interface CorrelatedEvent {
  count: number;
  message: string;
  firstMs: number;
  lastMs: number;
}

/** Events remembered; those unused for longest go. */
const REMEMBERED_MAX = 4_096;
/** So many go together: each look for the first of a map passes over the places of all that went since it was laid out anew. */
const FORGOTTEN_TOGETHER = 512;
/** Different messages of one reason within the interval before they become one. */
const SIMILAR_MAX = 10;
const SIMILAR_INTERVAL_MS = 600_000;
/** Events about one object: so many at once, then one in five minutes. */
const BURST = 25;
const REFILL_MS = 300_000;

interface Similar {
  messages: Set<string>;
  lastMs: number;
}

/** A map that forgets what was unused for longest. */
class Remembered<Value> {
  private readonly values = new Map<string, Value>();

  use(key: string, make: () => Value): Value {
    const value = this.values.get(key) ?? make();
    this.values.delete(key);
    this.values.set(key, value);
    if (this.values.size > REMEMBERED_MAX) this.forget();
    return value;
  }

  private forget(): void {
    let left = FORGOTTEN_TOGETHER;
    for (const key of this.values.keys()) {
      if (left === 0) return;
      this.values.delete(key);
      left -= 1;
    }
  }
}

export class EventCorrelator<Event extends CorrelatedEvent> {
  private readonly similar = new Remembered<Similar>();
  private readonly events = new Remembered<Event>();
  private readonly budgets = new Remembered<{ tokens: number; atMs: number }>();

  /** The Event to create or to raise, already counted, or undefined when this one is not to be recorded. */
  correlate(facts: EventFacts, nowMs: number, make: (message: string) => Event): Event | undefined {
    const { about, type, reason } = facts;
    const group = JSON.stringify([about, type, reason]);
    const similar = this.similar.use(group, () => ({ messages: new Set(), lastMs: nowMs }));
    if (nowMs - similar.lastMs > SIMILAR_INTERVAL_MS) similar.messages.clear();
    similar.lastMs = nowMs;
    similar.messages.add(facts.message);
    const combined = similar.messages.size >= SIMILAR_MAX;
    // Once there are that many, what they are is in their count: no more of them need to be kept.
    if (similar.messages.size > SIMILAR_MAX) similar.messages.delete(facts.message);
    const message = combined ? `(combined from similar events): ${facts.message}` : facts.message;
    if (!this.allowed(about, nowMs)) return undefined;
    const event = this.events.use(combined ? group : JSON.stringify([group, message]), () => make(message));
    event.count += 1;
    event.message = message;
    event.lastMs = nowMs;
    return event;
  }

  private allowed(about: string, nowMs: number): boolean {
    const budget = this.budgets.use(about, () => ({ tokens: BURST, atMs: nowMs }));
    budget.tokens = Math.min(BURST, budget.tokens + (nowMs - budget.atMs) / REFILL_MS);
    budget.atMs = nowMs;
    if (budget.tokens < 1) return false;
    budget.tokens -= 1;
    return true;
  }
}
