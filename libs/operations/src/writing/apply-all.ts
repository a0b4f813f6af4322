import { resourceQuota } from '@periplus/api';
import { type ResourceKey, StatusError, staleVersion } from '@periplus/apimachinery';
import { type Store, WriteConflict } from '@periplus/store';
import type { AdmissionChain } from '../admission/admission.ts';
import { type ClusterState, namedResource, resourceOf } from '../cluster-state.ts';
import type { Configured, ObjectResult, RequestContext, Target } from '../types.ts';
import { APPLY_PATCH, applyObject } from './apply.ts';
import { turnOf } from './change.ts';
import { type Committer, committedResult } from './committer.ts';
import type { WriteDeps } from './create.ts';
import { type StagedChange, StagedChanges } from './staged-changes.ts';
import { type Member, membersOf, refusalOf } from './transaction-members.ts';

/** As often the whole is tried again when somebody else was faster with one of its objects. */
const ATTEMPTS_MAX = 5;

export interface ApplyAllDeps {
  write: WriteDeps;
  store: Pick<Store, 'commitAll'>;
  /** Last of admission: runs the write of a change within the quotas that it concerns. */
  quotas: Pick<Committer, 'counted'>;
  /** The admission controllers, on the cluster as a transaction sees it. */
  admissionOn(cluster: ClusterState): AdmissionChain;
}

/** What was decided on a member. */
interface Outcome {
  readonly member: Member;
  /** Undefined when nothing changes: the transaction then relies on the state as it is. */
  readonly staged: StagedChange | undefined;
  readonly result: ObjectResult;
}

type Changed = Outcome & { readonly staged: StagedChange };

interface Applied {
  /** The newest of the objects'. */
  readonly revision: number;
  readonly outcomes: readonly Outcome[];
}

const isChanged = (outcome: Outcome): outcome is Changed => outcome.staged !== undefined;
const keyOf = ({ kind, namespace, name }: Target): ResourceKey => ({ ...resourceOf(kind), namespace, name });

/** Decides on one member after the other, each on a cluster that has those before it. Writes nothing. */
async function decide(
  { write, admissionOn }: ApplyAllDeps,
  context: RequestContext,
  members: readonly Member[],
  force: boolean,
): Promise<Outcome[]> {
  const staged = new StagedChanges(write.cluster);
  const { cluster, changes } = staged;
  const deps: WriteDeps = {
    ...write,
    cluster,
    committer: staged,
    turns: { take: (_, change) => change() },
    admission: admissionOn(cluster),
    allocation: { ...write.allocation, cluster },
  };
  const outcomes: Outcome[] = [];
  for (const member of members) {
    const { target, body } = member;
    const before = changes.length;
    try {
      const result = await applyObject(deps, context, target, { mediaType: APPLY_PATCH, body, force }, {});
      outcomes.push({ member, staged: changes[before], result });
    } catch (error) {
      throw error instanceof StatusError ? refusalOf(member, error) : error;
    }
  }
  return outcomes;
}

/** Runs `write` when all changes are counted in their quotas. */
function withinQuotas<T>(
  quotas: ApplyAllDeps['quotas'],
  changes: readonly Changed[],
  write: () => Promise<T>,
): Promise<T> {
  return changes.reduceRight(
    (inner, { member, staged }) =>
      async () => {
        let isRefused = true;
        try {
          return await quotas.counted(staged.change, () => {
            isRefused = false;
            return inner();
          });
        } catch (error) {
          throw isRefused && error instanceof StatusError ? refusalOf(member, error) : error;
        }
      },
    write,
  )();
}

/** Counting changes in a quota moves the quota. */
const isQuota = ({ member }: Outcome): boolean => member.target.kind === (resourceQuota as unknown);

/** What must stand as it is. */
const reliedOn = (outcomes: readonly Outcome[]): Outcome[] =>
  outcomes.filter((outcome) => !isChanged(outcome) && !isQuota(outcome));

/** Rejects with WriteConflict, whose place counts the changed ones first. */
async function write(store: ApplyAllDeps['store'], outcomes: readonly Outcome[]): Promise<Outcome[]> {
  const changed = outcomes.filter(isChanged);
  const committed = await store.commitAll({
    writes: changed.flatMap(({ staged }) => staged.writes),
    standing: reliedOn(outcomes).map(({ member, result }) => ({
      key: keyOf(member.target),
      revision: result.revision,
    })),
  });
  let place = 0;
  const results = changed.map((outcome) => {
    const { change, writes } = outcome.staged;
    const result = committedResult(change, committed[place]!);
    place += writes.length;
    return { ...outcome, result };
  });
  return [...results, ...outcomes.filter((outcome) => !isChanged(outcome))];
}

/** Changes of quotas are decided again when the other changes are counted in them. */
async function commit(
  { store, quotas }: ApplyAllDeps,
  outcomes: readonly Outcome[],
  decideAgain: (members: readonly Member[]) => Promise<Outcome[]>,
): Promise<readonly Outcome[]> {
  const changed = outcomes.filter(isChanged);
  if (changed.length === 0) return outcomes;
  // Nothing is counted in a quota that is only made now: the controller does, when it puts it into force.
  const moved = changed.filter((outcome) => isQuota(outcome) && outcome.staged.change.old !== null);
  return withinQuotas(quotas, changed, async () => {
    if (moved.length === 0 || moved.length === changed.length) return write(store, outcomes);
    const latest = await decideAgain(moved.map(({ member }) => member));
    return write(
      store,
      outcomes.map((outcome) => latest.find(({ member }) => member === outcome.member) ?? outcome),
    );
  });
}

async function apply(
  deps: ApplyAllDeps,
  context: RequestContext,
  members: readonly Member[],
  force: boolean,
): Promise<Applied> {
  for (let attempt = 1; ; attempt++) {
    const decided = await decide(deps, context, members, force);
    if (context.dryRun) {
      await withinQuotas(deps.quotas, decided.filter(isChanged), async () => undefined);
      return { revision: 0, outcomes: decided };
    }
    try {
      const outcomes = await commit(deps, decided, (again) => decide(deps, context, again, force));
      return { revision: Math.max(...outcomes.map(({ result }) => result.revision)), outcomes };
    } catch (error) {
      if (!(error instanceof WriteConflict)) throw error;
      await deps.write.cluster.reach(error.revision);
      if (attempt < ATTEMPTS_MAX) continue;
      const written = decided.filter(isChanged).flatMap((outcome) => outcome.staged.writes.map(() => outcome));
      const { member } = [...written, ...reliedOn(decided)][error.place] ?? decided[0]!;
      throw refusalOf(member, staleVersion(namedResource(member.target.kind), member.target.name));
    }
  }
}

/** Runs `change` when nobody else changes any of the objects. All wait in one order, so nobody waits in a circle. */
function inTurns(
  turns: WriteDeps['turns'],
  members: readonly Member[],
  change: () => Promise<Applied>,
): Promise<Applied> {
  const objects = members.map(({ target }) => turnOf(target)).sort();
  return objects.reduceRight((inner, object) => () => turns.take(object, inner), change)();
}

/** Server-side apply of several objects, all or nothing and at one revision. */
export async function applyAll(
  deps: ApplyAllDeps,
  context: RequestContext,
  objects: readonly Configured[],
  force: boolean,
): Promise<ObjectResult[]> {
  const members = membersOf(objects);
  const { revision, outcomes } = await inTurns(deps.write.turns, members, () => apply(deps, context, members, force));
  // Who makes a namespace expects the next request to know.
  if (members.some(({ target }) => target.kind.plural === 'namespaces')) await deps.write.cluster.reach(revision);
  const results: ObjectResult[] = [];
  for (const { member, result } of outcomes) results[member.position] = result;
  return results;
}
