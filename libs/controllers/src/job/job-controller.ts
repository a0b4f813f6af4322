import { type Job, job as jobKind, pod, sameValue } from '@periplus/api';
import type { View } from '@periplus/cache';
import type { Command } from '@periplus/client';
import { defineController, idle, type Plan, type PlannedEvent } from '@periplus/reconcile';
import { isNamespaceEnding } from '../ending-namespace.ts';
import { adoptionRule, orphanPods } from '../orphans.ts';
import { claim } from '../ownership.ts';
import { podTarget } from '../pod-commands.ts';
import { podEvents } from '../pod-events.ts';
import type { PodView } from '../pod-state.ts';
import { selectorOf } from '../selectors.ts';
import { slowStart } from '../slow-start.ts';
import { setStatusOfVersion } from '../status-change.ts';
import { isTracked, type JobView, releaseOf, TRACKING } from './job-pod.ts';
import { BURST_MAX, podMoves } from './job-pods.ts';
import { decisive, jobStatus, type Outcome, turnOf } from './job-status.ts';
import { type Recording, record, type Tally, tallyOf } from './job-tally.ts';
import { completionOf, deadlineInMs, isFinished, verdictOf } from './job-verdict.ts';

/** What `managedBy` says when it means this controller. */
const OWN_NAME = 'kubernetes.io/job-controller';

/** Whether a Job is left to another controller. https://kubernetes.io/docs/concepts/workloads/controllers/job/#delegation-of-managing-a-job-object-to-external-controller */
export const isManagedElsewhere = ({ spec }: JobView): boolean => (spec.managedBy ?? OWN_NAME) !== OWN_NAME;

/** Runs pods until enough of them have succeeded. https://kubernetes.io/docs/concepts/workloads/controllers/job/ */
export const jobController = defineController<Job>({
  name: 'job',
  for: jobKind,
  owns: [pod],
  watches: [adoptionRule(pod, jobKind)],
  indexes: [orphanPods],
  reconcile({ namespace, name }, view) {
    const job = view.get(jobKind, namespace, name);
    if (!job || isManagedElsewhere(job) || isFinished(job)) return idle;
    const owner = { kind: jobKind, object: job, selector: selectorOf(job.spec.selector), finalizer: TRACKING };
    const candidates = [...view.owned(pod, job.metadata.uid ?? ''), ...view.index(orphanPods, namespace)];
    const { claimed, commands } = claim(owner, pod, candidates);
    // What is adopted counts once it has its finalizer.
    return commands.length > 0 ? { steps: [commands] } : planJob(tallyOf(job, claimed), view);
  },
});

function planJob(tally: Tally, view: View): Plan {
  const { job, active } = tally;
  const isGoing = job.metadata.deletionTimestamp !== undefined;
  const verdict = verdictOf(tally, view.nowMs);
  const moves = verdict || isGoing ? undefined : podMoves(tally, view);
  const isStill = !moves || moves.create.length + moves.remove.length === 0;
  const completion = isStill && !verdict ? completionOf(tally) : undefined;
  const target = verdict ?? completion;
  const recording = record(tally, target && (target.type === 'FailureTarget' ? 'failing' : 'succeeding'));
  const outcome: Outcome = {
    verdict: target,
    ended: target !== undefined && hasNothingLeft(tally),
    turned: moves && !target ? turnOf(job) : undefined,
  };
  const waits = [moves?.lookAgainMs, target ? undefined : deadlineInMs(job, view.nowMs)];
  return {
    ...planOf(tally, recording, outcome, {
      create: isNamespaceEnding(view, job.metadata.namespace ?? '') ? [] : (moves?.create ?? []),
      remove: moves?.remove ?? [],
      cutShort: target ? active : [],
      nowMs: view.nowMs,
    }),
    lookAgainMs: earliest(waits),
  };
}

/** Every pod is counted, and none is left on its way out. */
const hasNothingLeft = ({ pods, active, terminating, uncounted }: Tally): boolean =>
  active.length + terminating + uncounted.succeeded.length + uncounted.failed.length === 0 && !pods.some(isTracked);

const earliest = (waits: readonly (number | undefined)[]): number | undefined => {
  const known = waits.filter((ms) => ms !== undefined);
  return known.length > 0 ? Math.max(0, Math.min(...known)) : undefined;
};

interface Moves {
  create: ReturnType<typeof podMoves>['create'];
  /** Not needed any more, and not counted. */
  remove: readonly PodView[];
  /** Deleted because the Job ends; counted once they are on their way out. */
  cutShort: readonly PodView[];
  nowMs: number;
}

const removal = (one: PodView): Command => ({ ...podTarget(one), verb: 'delete' });

/** What is written down comes first, then finalizers go, then pods come and go. */
function planOf(tally: Tally, recording: Recording, outcome: Outcome, moves: Moves): Plan {
  const { job } = tally;
  const status = jobStatus(tally, recording, outcome, moves.nowMs);
  const statusChange = setStatusOfVersion(jobKind, job, status);
  const creations = moves.create.map(
    (object): Command => ({
      verb: 'create',
      kind: pod,
      namespace: job.metadata.namespace ?? '',
      name: object.metadata.name ?? '',
      object,
    }),
  );
  const removals = [...moves.cutShort, ...moves.remove].map(removal);
  const isUrgent = creations.length + removals.length === 0 || !sameValue(decisive(status), decisive(job.status));
  const steps = [
    isUrgent ? statusChange : [],
    [...recording.released, ...moves.remove.filter(isTracked)].map(releaseOf),
    removals,
    ...slowStart(creations, BURST_MAX),
  ];
  const outcomeEvents = isUrgent
    ? eventsOf(job, outcome, status).map((event) => ({ ...event, after: statusChange[0] }))
    : [];
  return {
    steps: steps.filter((step) => step.length > 0),
    events: [...[...removals, ...creations].flatMap((command) => podEvents(job, command)), ...outcomeEvents],
    onRefusal: (refusals) =>
      !isUrgent && refusals.some(({ command }) => creations.includes(command) || removals.includes(command))
        ? statusChange
        : [],
  };
}

/** What becomes of a Job, in Kubernetes' words. */
function eventsOf(job: JobView, { verdict, ended, turned }: Outcome, status: { succeeded?: number }): PlannedEvent[] {
  const event = (type: 'Normal' | 'Warning', reason: string, message: string): PlannedEvent => ({
    ...{ about: job, type, reason, message },
  });
  if (turned === 'suspended') return [event('Normal', 'Suspended', 'Job suspended')];
  if (turned === 'resumed') return [event('Normal', 'Resumed', 'Job resumed')];
  if (!verdict || !ended) return [];
  if (verdict.type === 'FailureTarget') return [event('Warning', verdict.reason, verdict.message)];
  const tooMany = 'Too many succeeded pods running after completion count reached';
  const isTooMany = (status.succeeded ?? 0) > (job.spec.completions ?? Number.POSITIVE_INFINITY);
  return [
    ...(isTooMany ? [event('Warning', 'TooManySucceededPods', tooMany)] : []),
    event('Normal', 'Completed', 'Job completed'),
  ];
}
