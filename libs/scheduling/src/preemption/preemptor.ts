import { type Decider, noneOf } from '../decide.ts';
import { CLAIMS_SAY } from '../devices/deallocations.ts';
import type { PodInfo } from '../pod-info.ts';
import type { PodShape } from '../pod-shape.ts';
import type { Profile } from '../profile.ts';
import type { Nominations } from './nominations.ts';
import { type Candidate, Prospects } from './prospects.ts';
import { NO_VICTIMS, type Surroundings, victimsOn } from './victims.ts';

/** Shapes of which it is remembered who would have to go from which node. */
const SHAPES_MAX = 16;

/** Why nobody else's place is taken, as the FailedScheduling event ends with it. */
export interface NotPreempting {
  readonly node: null;
  readonly message: string;
  /** Whether a promise of before still holds: those who leave are on their way. */
  readonly isUnderWay: boolean;
}

/** A refusal in the words of the FailedScheduling event. */
export const withPreemption = (message: string, { message: why }: NotPreempting): string =>
  why === '' ? message : `${message} ${why}`;

/** What is said of devices, which are never taken from other pods, and of preemption, which is asked for after them. */
function ending({ deallocates }: Profile, claims: string, preemption: string | null): string {
  const reasons = deallocates ? [claims] : [];
  if (preemption !== null) reasons.push(`preemption: ${preemption}`);
  return reasons.join(', ');
}

export interface PreemptorDeps extends Surroundings {
  readonly nominations: Nominations;
}

/** What nodes answer to pods of a shape, as long as the budgets stay as they are. */
interface KnownProspects {
  readonly budgets: number;
  readonly prospects: Prospects;
}

const BEYOND_HELP = ['Preemption is not helpful for scheduling'];

/**
 * Finds whom a pod that fits nowhere may take the place of. What a node answered is remembered until the node or its
 * pods change, so that many pods of one shape cost little more than one. Synchronous and deterministic.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/#preemption
 */
export class Preemptor {
  private readonly deps: PreemptorDeps;
  private readonly known = new Map<PodShape, KnownProspects>();
  /** What was said to pods of a shape, good for as long as nothing has loosened. */
  private readonly failures = new WeakMap<PodShape, { loosened: number; budgets: number; message: string }>();

  constructor(deps: PreemptorDeps) {
    this.deps = deps;
  }

  /** Decides for a pod that `decider` has just refused. `claims`: what is said of its claims of devices. */
  preempt(pod: PodInfo, decider: Decider, claims: string = CLAIMS_SAY.nothing): Candidate | NotPreempting {
    const { table, budgets } = this.deps;
    const { profile } = decider;
    if (table.size === 0) return failed('');
    if (profile.preemption === null) return failed(ending(profile, claims, null));
    const refusal = this.ineligible(pod, decider, claims);
    if (refusal) return refusal;
    const { shape } = pod;
    const looksAround = decider.looksAround(shape);
    const failure = looksAround ? undefined : this.failures.get(shape);
    if (failure?.loosened === table.loosened && failure.budgets === budgets.version) return failed(failure.message);
    const prospects = looksAround ? this.prospects(shape, decider) : this.knownProspects(shape, decider);
    const best = prospects.best();
    if (best) return best;
    const message = ending(profile, claims, noneOf(table.size, prospects.reasons()));
    this.failures.set(shape, { loosened: table.loosened, budgets: budgets.version, message });
    return failed(message);
  }

  private ineligible(
    { uid, pod, priority, shape }: PodInfo,
    decider: Decider,
    claims: string,
  ): NotPreempting | undefined {
    const { profile } = decider;
    if (pod.spec.preemptionPolicy === 'Never') {
      return failed(ending(profile, claims, 'not eligible due to preemptionPolicy=Never.'));
    }
    const { table, placed, nominations } = this.deps;
    const node = nominations.nodeOf(uid);
    const slot = node === undefined ? undefined : table.slot(node);
    if (slot === undefined || decider.inspection(shape).isBeyondHelp(slot)) return undefined;
    for (const [other, footprint] of table.podsOn(node!)) {
      if (footprint.priority >= priority || !placed.going.has(other)) continue;
      const message = ending(profile, claims, 'not eligible due to a terminating pod on the nominated node.');
      return { ...failed(message), isUnderWay: true };
    }
    return undefined;
  }

  private prospects(shape: PodShape, decider: Decider): Prospects {
    const { deps } = this;
    const { table } = deps;
    const { isBeyondHelp, refusal } = decider.inspection(shape);
    return new Prospects(table, decider.profile.preemption!, (slot) => {
      if (isBeyondHelp(slot)) return BEYOND_HELP;
      return table.hasBelow(shape.priority) ? victimsOn(deps, slot, shape.priority, () => refusal(slot)) : NO_VICTIMS;
    });
  }

  private knownProspects(shape: PodShape, decider: Decider): Prospects {
    const { version } = this.deps.budgets;
    let known = this.known.get(shape);
    if (known?.budgets !== version) known = { budgets: version, prospects: this.prospects(shape, decider) };
    this.known.delete(shape);
    this.known.set(shape, known);
    if (this.known.size > SHAPES_MAX) this.known.delete(this.known.keys().next().value!);
    return known.prospects;
  }
}

const failed = (message: string): NotPreempting => ({ node: null, message, isUnderWay: false });
