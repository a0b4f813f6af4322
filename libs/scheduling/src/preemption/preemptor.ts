import { type Decider, noneOf } from '../decide.ts';
import type { PodInfo } from '../pod-info.ts';
import type { PodShape } from '../pod-shape.ts';
import { type Candidate, leastMissed } from './candidates.ts';
import type { Nominations } from './nominations.ts';
import { isRefusal, NO_VICTIMS, type Surroundings, type Victims, victimsOn } from './victims.ts';

/** So many candidates are enough to choose among: a tenth of the nodes, and no fewer than these. */
const CANDIDATES_MIN = 100;
const CANDIDATES_SHARE = 0.1;
/** Shapes of which it is remembered who would have to go from which node. */
const SHAPES_MAX = 16;

/** Why nobody else's place is taken, as the FailedScheduling event ends with it. */
export interface NotPreempting {
  readonly node: null;
  readonly message: string;
  /** Whether a promise of before still holds: those who leave are on their way. */
  readonly isUnderWay: boolean;
}

export interface PreemptorDeps extends Surroundings {
  readonly nominations: Nominations;
}

type Answer = Victims | readonly string[];

/** What a node answered to pods of a shape, and when. */
interface KnownAnswers {
  budgets: number;
  readonly states: number[];
  readonly answers: Answer[];
}

const BEYOND_HELP = 'Preemption is not helpful for scheduling';

/**
 * Finds whom a pod that fits nowhere may take the place of. Looks at nodes in turn, from where it stopped last, until
 * it has enough to choose among; what a node answered is remembered until the node or its pods change, so that many
 * pods of one shape cost little more than one. Synchronous and deterministic.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/#preemption
 */
export class Preemptor {
  private readonly deps: PreemptorDeps;
  private readonly known = new Map<PodShape, KnownAnswers>();
  /** What was said to pods of a shape, good for as long as nothing has loosened. */
  private readonly failures = new WeakMap<PodShape, { loosened: number; budgets: number; message: string }>();
  private nextStart = 0;

  constructor(deps: PreemptorDeps) {
    this.deps = deps;
  }

  /** Decides for a pod that `decider` has just refused. */
  preempt(pod: PodInfo, decider: Decider): Candidate | NotPreempting {
    const refusal = this.ineligible(pod, decider);
    if (refusal) return refusal;
    const { table, budgets } = this.deps;
    const { shape } = pod;
    const looksAround = decider.looksAround(shape);
    const failure = looksAround ? undefined : this.failures.get(shape);
    if (failure?.loosened === table.loosened && failure.budgets === budgets.version) return failed(failure.message);
    const counts = new Map<string, number>();
    const best = leastMissed(this.candidates(shape, decider, looksAround, counts));
    if (best) return best;
    const message = table.size === 0 ? '' : noneOf(table.size, counts);
    this.failures.set(shape, { loosened: table.loosened, budgets: budgets.version, message });
    return failed(message);
  }

  private ineligible({ uid, pod, priority, shape }: PodInfo, decider: Decider): NotPreempting | undefined {
    if (pod.spec.preemptionPolicy === 'Never') return failed('not eligible due to preemptionPolicy=Never.');
    const { table, placed, nominations } = this.deps;
    const node = nominations.nodeOf(uid);
    const slot = node === undefined ? undefined : table.slot(node);
    if (slot === undefined || decider.isBeyondHelp(shape, slot)) return undefined;
    for (const [other, footprint] of table.podsOn(node!)) {
      if (footprint.priority >= priority || !placed.going.has(other)) continue;
      return { ...failed('not eligible due to a terminating pod on the nominated node.'), isUnderWay: true };
    }
    return undefined;
  }

  /** As many as are enough. When there is none, `counts` says of how many nodes what is true. */
  private candidates(
    shape: PodShape,
    decider: Decider,
    looksAround: boolean,
    counts: Map<string, number>,
  ): Candidate[] {
    const { table } = this.deps;
    const { slots } = table;
    const enough = Math.max(CANDIDATES_MIN, Math.floor(slots.length * CANDIDATES_SHARE));
    const known = looksAround ? null : this.knownAnswers(shape);
    const hasVictims = table.hasBelow(shape.priority);
    const found: Candidate[] = [];
    let looked = 0;
    for (; looked < slots.length && found.length < enough; looked += 1) {
      const slot = slots[(this.nextStart + looked) % slots.length]!;
      let answer: Answer;
      if (decider.isBeyondHelp(shape, slot)) answer = [BEYOND_HELP];
      else if (!hasVictims) answer = NO_VICTIMS;
      else answer = this.ask(shape, slot, decider, known);
      if (isRefusal(answer)) for (const reason of answer) counts.set(reason, (counts.get(reason) ?? 0) + 1);
      else found.push({ node: table.nodes[slot]!.metadata.name!, victims: answer });
    }
    if (slots.length > 0) this.nextStart = (this.nextStart + looked) % slots.length;
    return found;
  }

  private ask(shape: PodShape, slot: number, decider: Decider, known: KnownAnswers | null): Answer {
    const { table } = this.deps;
    if (known && known.states[slot] === table.state[slot]) return known.answers[slot]!;
    const answer = victimsOn(this.deps, slot, shape.priority, () => decider.refusalOn(shape, slot));
    if (known) {
      known.states[slot] = table.state[slot]!;
      known.answers[slot] = answer;
    }
    return answer;
  }

  private knownAnswers(shape: PodShape): KnownAnswers {
    const { version } = this.deps.budgets;
    let known = this.known.get(shape);
    if (known?.budgets !== version) known = { budgets: version, states: [], answers: [] };
    this.known.delete(shape);
    this.known.set(shape, known);
    if (this.known.size > SHAPES_MAX) this.known.delete(this.known.keys().next().value!);
    return known;
  }
}

const failed = (message: string): NotPreempting => ({ node: null, message, isUnderWay: false });
