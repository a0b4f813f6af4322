import {
  type FlowSchema,
  flowSchema,
  MANDATORY_FLOW_SCHEMAS,
  MANDATORY_PRIORITY_LEVELS,
  type PriorityLevelConfiguration,
  priorityLevelConfiguration,
} from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import { type CacheReader, ClusterState } from '../cluster-state.ts';
import type { User } from '../types.ts';
import { currentLimits, type SeatBounds, seatBounds } from './concurrency-limits.ts';
import { type FlowAttributes, FlowClassifier } from './flow-classifier.ts';
import { PriorityLevel, type Refusal, type Seat, TooManyRequests, Waiting } from './priority-level.ts';

/** Seats of all levels together: what kube-apiserver does at once by default, reads and writes added up. */
const SEATS = 600;
/** Levels lend and borrow by what they wanted in this time; how much of what they wanted before still counts. */
const ADJUST_MS = 10_000;
const DEMAND_MEMORY = 0.977;
/** As kube-apiserver. */
const OBJECTS_PER_SEAT = 100;
const LIST_SEATS_MAX = 10;
const EXEMPT = 'exempt';
const CATCH_ALL = 'catch-all';
const GROUP = 'flowcontrol.apiserver.k8s.io';

/** Where a request of some schema goes. */
export interface Flow {
  readonly name: string;
  readonly uid: string;
  readonly spec: DeepReadonly<FlowSchema['spec']>;
  readonly level: PriorityLevel;
}

/** Hears what becomes of requests. */
export interface FlowObserver {
  /** It is served, at once or after its turn has come. */
  dispatched(flow: Flow): void;
  refused(flow: Flow, why: Refusal): void;
  /** It has left its queue, whatever for. */
  waited(flow: Flow, seconds: number): void;
}

/** How a level is configured, and what it wanted of late. */
interface LevelState {
  readonly level: PriorityLevel;
  readonly spec: DeepReadonly<PriorityLevelConfiguration['spec']>;
  bounds: SeatBounds;
  demand: number;
}

/**
 * Priority and fairness: who waits for whom when more is asked of the server than it does at once. Follows the
 * FlowSchemas and PriorityLevelConfigurations of the cluster; those that every cluster must have are there from the
 * start. https://kubernetes.io/docs/concepts/cluster-administration/flow-control/
 */
export class Fairness {
  private readonly cluster: ClusterState;
  private readonly now: () => number;
  private readonly levels = new Map<string, LevelState>();
  private readonly unsubscribe: () => void;
  private readonly timer: NodeJS.Timeout;
  private classifier: FlowClassifier<Flow> | null = null;
  private observer: FlowObserver | null = null;

  /** `now` is in milliseconds, of a clock that never goes back. */
  constructor({ cache, now = () => performance.now() }: { cache: CacheReader; now?: () => number }) {
    this.cluster = new ClusterState(cache);
    this.now = now;
    this.unsubscribe = cache.subscribe((_, changes) => {
      if (changes.some(({ entry }) => entry.key.group === GROUP)) this.classifier = null;
    });
    this.timer = setInterval(() => this.adjust(), ADJUST_MS).unref();
    this.configured();
  }

  /** The levels as they are now, for whoever shows them. */
  *priorityLevels(): Iterable<{ readonly level: PriorityLevel; readonly bounds: SeatBounds }> {
    yield* this.levels.values();
  }

  flowOf(user: User, asked: FlowAttributes): Flow {
    return this.configured().of(user, asked);
  }

  /**
   * Takes `width` seats for a request of this flow, or a place in a queue for them. Throws TooManyRequests. What it
   * returns must be released or withdrawn.
   */
  enter(flow: Flow, user: User, asked: FlowAttributes, width: number): Seat | Waiting {
    const { level } = flow;
    const seats = level.name === EXEMPT ? 1 : width;
    let place: Seat | Waiting;
    try {
      place = level.seat(seats) ?? level.queue(distinguished(flow, user, asked), seats);
    } catch (error) {
      if (error instanceof TooManyRequests) this.observer?.refused(flow, error.why);
      throw error;
    }
    if (place instanceof Waiting) this.observeTurn(flow, place);
    else this.observer?.dispatched(flow);
    return place;
  }

  /** Tells `observer` from now on. */
  observe(observer: FlowObserver): void {
    this.observer = observer;
  }

  private observeTurn(flow: Flow, { seat }: Waiting): void {
    const { observer } = this;
    if (!observer) return;
    const startMs = this.now();
    const waited = (): void => observer.waited(flow, (this.now() - startMs) / 1000);
    seat.then(
      () => {
        observer.dispatched(flow);
        waited();
      },
      ({ why }: TooManyRequests) => {
        observer.refused(flow, why);
        waited();
      },
    );
  }

  /** What a list is worth in seats: it takes as long as it has objects. `limit` is 0 for all of them. */
  widthOfList({ group, resource, namespace }: FlowAttributes, limit: number): number {
    const count = this.cluster.cache.count({ group, resource }, namespace);
    return Math.min(LIST_SEATS_MAX, Math.ceil((limit > 0 ? Math.min(limit, count) : count) / OBJECTS_PER_SEAT) || 1);
  }

  close(): void {
    clearInterval(this.timer);
    this.unsubscribe();
  }

  /** Gives each level its part of the seats, by what it wanted since the last time. */
  adjust(): void {
    const limited = [...this.levels.values()].filter(({ level }) => level.name !== EXEMPT);
    for (const state of limited) {
      const { highWater } = state.level;
      state.demand = Math.max(highWater, DEMAND_MEMORY * state.demand + (1 - DEMAND_MEMORY) * highWater);
      state.level.highWater = state.level.executing;
    }
    const limits = currentLimits(
      limited.map(({ bounds, demand }) => ({ ...bounds, demand })),
      SEATS,
    );
    limited.forEach(({ level }, i) => {
      level.limit = limits[i]!;
      level.dispatch();
    });
  }

  /** Compiled when it is needed and objects have changed. */
  private configured(): FlowClassifier<Flow> {
    this.classifier ??= this.compiled();
    return this.classifier;
  }

  private compiled(): FlowClassifier<Flow> {
    this.configureLevels();
    const schemas = withMandatory(MANDATORY_FLOW_SCHEMAS, this.cluster.objects(flowSchema)).flatMap(
      (schema): Flow[] => {
        const state = this.levels.get(schema.spec.priorityLevelConfiguration?.name ?? '');
        return state ? [{ ...schema, level: state.level }] : [];
      },
    );
    return new FlowClassifier(schemas, schemas.find(({ name }) => name === CATCH_ALL)!);
  }

  /** Who is served or waits in a level stays in it, whatever becomes of it. */
  private configureLevels(): void {
    const all = withMandatory(MANDATORY_PRIORITY_LEVELS, this.cluster.objects(priorityLevelConfiguration));
    const bounds = seatBounds(
      all.map(({ spec }) => sharesOf(spec)),
      SEATS,
    );
    const names = new Set(all.map(({ name }) => name));
    for (const name of this.levels.keys()) if (!names.has(name)) this.levels.delete(name);
    all.forEach(({ name, uid, spec }, i) => {
      const known = this.levels.get(name);
      const level = known?.level ?? new PriorityLevel(name, this.now);
      level.uid = uid;
      level.queuing = queuingOf(spec);
      // Nobody limits the exempt but the memory that their requests take.
      level.limit = name === EXEMPT ? SEATS : bounds[i]!.nominal;
      this.levels.set(name, { level, spec, bounds: bounds[i]!, demand: known?.demand ?? 0 });
      level.dispatch();
    });
  }
}

interface Named<Spec> {
  readonly name: string;
  readonly uid: string;
  readonly spec: DeepReadonly<Spec>;
}

/** The objects of the cluster and what has to be there without them. */
function withMandatory<Spec>(
  mandatory: Readonly<Record<string, Spec>>,
  objects: Iterable<DeepReadonly<{ metadata: { name?: string; uid?: string }; spec: Spec }>>,
): Named<Spec>[] {
  const all = new Map(
    Object.entries(mandatory).map(([name, spec]): [string, Named<Spec>] => [
      name,
      { name, uid: '', spec: spec as DeepReadonly<Spec> },
    ]),
  );
  for (const { metadata, spec } of objects) {
    const name = metadata.name ?? '';
    all.set(name, { name, uid: metadata.uid ?? '', spec: spec as DeepReadonly<Spec> });
  }
  return [...all.values()];
}

function sharesOf({ limited, exempt }: LevelState['spec']) {
  const { nominalConcurrencyShares: shares = 0, lendablePercent = 0 } = limited ?? exempt ?? {};
  return { shares, lendablePercent, borrowingLimitPercent: limited?.borrowingLimitPercent ?? null };
}

function queuingOf({ limited }: LevelState['spec']): PriorityLevel['queuing'] {
  const response = limited?.limitResponse;
  if (response?.type !== 'Queue' || !response.queuing) return null;
  const { queues = 1, handSize = 1, queueLengthLimit = 1 } = response.queuing;
  return { queues, handSize, queueLengthLimit };
}

/** What tells the flows of a schema apart. */
function distinguished({ name, spec }: Flow, user: User, { namespace }: FlowAttributes): string {
  const by = spec.distinguisherMethod?.type;
  return by === 'ByUser' ? `${name}/${user.name}` : by === 'ByNamespace' ? `${name}/${namespace}` : name;
}
