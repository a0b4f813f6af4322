import { Heap } from '../heap.ts';
import type { NodeTable } from '../node-table.ts';
import { isRefusal, type Victims } from './victims.ts';

/** How many candidates are enough to choose among: that share of the nodes, and no fewer than `count`. */
export interface CandidateLimits {
  readonly percent: number;
  readonly count: number;
}

export const DEFAULT_CANDIDATES: CandidateLimits = { percent: 10, count: 100 };

/** A node that would take the pod if these went. */
export interface Candidate {
  readonly node: string;
  readonly victims: Victims;
}

/** What a node says: who would have to go, or why that would be no help. */
type Answer = Victims | readonly string[];

interface Ranked {
  readonly slot: number;
  readonly victims: Victims;
  /** The state of the node that this is about. */
  readonly state: number;
  /** Among equals, the first that was asked comes first. */
  readonly serial: number;
}

function isBetter(one: Ranked, other: Ranked): boolean {
  const [costs, others] = [one.victims.costs, other.victims.costs];
  for (let index = 0; index < costs.length; index += 1) {
    if (costs[index] !== others[index]) return costs[index]! < others[index]!;
  }
  return one.serial < other.serial;
}

/**
 * Where pods of one shape may have others go, the candidate whose victims are missed least on top. Asks nodes in turn
 * until enough are known to choose among, and again only those that have changed: of many pods of one shape, all but the
 * first ask of no more nodes than changed since.
 */
export class Prospects {
  private readonly table: NodeTable;
  private readonly limits: CandidateLimits;
  private readonly ask: (slot: number) => Answer;
  /** By slot, what the node answered last, and in which state. */
  private readonly answers: (Answer | undefined)[] = [];
  private readonly states: number[] = [];
  /** How many answers name victims; some may be out of date. */
  private count = 0;
  /** Also of what was answered before: that is passed over when it comes to the top. */
  private ranking = new Heap<Ranked>(isBetter);
  private next = 0;
  private serial = 0;

  constructor(table: NodeTable, limits: CandidateLimits, ask: (slot: number) => Answer) {
    this.table = table;
    this.limits = limits;
    this.ask = ask;
  }

  /** Undefined when nobody's going would help anywhere. */
  best(): Candidate | undefined {
    for (;;) {
      this.lookAround();
      if (this.ranking.peek() === undefined) return undefined;
      const top = this.topmost();
      if (top) return { node: this.table.nodes[top.slot]!.metadata.name!, victims: top.victims };
    }
  }

  /** Of how many nodes what is true, once there is no candidate. */
  reasons(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const slot of this.table.slots) {
      for (const reason of this.answers[slot] as readonly string[]) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
    return counts;
  }

  /** Asks nodes until there are enough candidates, or none is left to ask. */
  private lookAround(): void {
    const { slots } = this.table;
    const { percent, count } = this.limits;
    const enough = Math.max(count, Math.floor((slots.length * percent) / 100));
    for (let looked = 0; looked < slots.length && this.count < enough; looked += 1) {
      this.refresh(slots[this.next % slots.length]!);
      this.next = (this.next + 1) % slots.length;
    }
  }

  /** The best of those that still hold. */
  private topmost(): Ranked | undefined {
    const { ranking, table } = this;
    for (let top = ranking.peek(); top; top = ranking.peek()) {
      const { slot, state } = top;
      if (state === table.state[slot] && table.nodes[slot]) return top;
      ranking.pop();
      this.refresh(slot);
    }
    return undefined;
  }

  private refresh(slot: number): void {
    const { table, answers, states } = this;
    const node = table.nodes[slot];
    const state = table.state[slot]!;
    if (node && states[slot] === state) return;
    const before = answers[slot];
    if (before && !isRefusal(before)) this.count -= 1;
    const answer = node ? this.ask(slot) : undefined;
    answers[slot] = answer;
    states[slot] = state;
    if (!answer || isRefusal(answer)) return;
    this.count += 1;
    if (this.ranking.size > 2 * table.capacity) this.rankAnew();
    else this.rank(slot, answer);
  }

  private rank(slot: number, victims: Victims): void {
    this.serial += 1;
    this.ranking.push({ slot, victims, state: this.states[slot]!, serial: this.serial });
  }

  /** Forgets what is out of date. */
  private rankAnew(): void {
    this.ranking = new Heap(isBetter);
    for (const slot of this.table.slots) {
      const answer = this.answers[slot];
      if (answer && !isRefusal(answer)) this.rank(slot, answer);
    }
  }
}
