/**
 * What the status of a Job may become. Jobs may be managed by controllers that are not ours, whose clients still count
 * on it: https://kep.k8s.io/4368. What an update leaves as it was is left alone, so that a status which a change of the
 * spec made wrong can be mended step by step.
 */
import { type DeepReadonly, type FieldPath, isConditionTrue } from '@periplus/apimachinery';
import type { IJobStatus } from 'kubernetes-models/batch/v1/JobStatus';
import { sameValue } from '../equality.ts';
import { checkNonNegative, type Errors } from '../field-rules.ts';
import { commonIndex, parseIndexes } from './indexes.ts';
import { isIndexed, type JobSpec } from './job-spec.ts';

type Status = DeepReadonly<IJobStatus>;
type Uncounted = NonNullable<Status['uncountedTerminatedPods']>;

/** An update of a status, for the rules below. */
interface Change {
  errors: Errors;
  at: FieldPath;
  spec: JobSpec;
  now: Status;
  old: Status;
}

const COUNTS = ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const;
const TERMINAL = ['Failed', 'Complete', 'FailureTarget'];

const has = ({ conditions }: Status, type: string): boolean => isConditionTrue(conditions, type);
const isComplete = (status: Status): boolean => has(status, 'Complete');
const isFailed = (status: Status): boolean => has(status, 'Failed');
const isFinished = (status: Status): boolean => isComplete(status) || isFailed(status);
const meetsCriteria = (status: Status): boolean => has(status, 'SuccessCriteriaMet');

const changes = ({ now, old }: Change, ...fields: (keyof IJobStatus)[]): boolean =>
  fields.some((field) => !sameValue(now[field], old[field]));
const turns = ({ now, old }: Change, holds: (status: Status) => boolean): boolean => holds(now) !== holds(old);

function checkUncounted(errors: Errors, at: FieldPath, { succeeded = [], failed = [] }: Uncounted): void {
  const seen = new Set<string>();
  const check = (list: string, uids: readonly string[]): void =>
    uids.forEach((uid, i) => {
      const place = at.index(list, i);
      if (uid === '') errors.push(place.invalid(uid, 'must not be empty'));
      else if (seen.has(uid)) errors.push(place.duplicate(uid));
      seen.add(uid);
    });
  check('succeeded', succeeded);
  check('failed', failed);
}

/** A Job is complete, or failed, or neither yet; it says beforehand which it is going to be, and never takes it back. */
function checkConditions({ errors, at, spec, now, old }: Change): void {
  const place = at.child('conditions');
  const refuse = (isWrong: boolean, why: string): void => {
    if (isWrong) errors.push(place.wrong(why));
  };
  const complete = isComplete(now);
  const failed = isFailed(now);
  refuse(complete && failed, 'cannot set Complete=True and Failed=true conditions');
  refuse(complete && has(now, 'FailureTarget'), 'cannot set Complete=True and FailureTarget=true conditions');
  refuse(meetsCriteria(now) && failed, 'cannot set SuccessCriteriaMet=True and Failed=true conditions');
  refuse(
    meetsCriteria(now) && has(now, 'FailureTarget'),
    'cannot set SuccessCriteriaMet=True and FailureTarget=true conditions',
  );
  refuse(
    failed && !isFailed(old) && !has(now, 'FailureTarget'),
    'cannot set Failed=True condition without the FailureTarget=true condition',
  );
  refuse(
    complete && !isComplete(old) && !meetsCriteria(now),
    'cannot set Complete=True condition without the SuccessCriteriaMet=true condition',
  );
  refuse(
    spec.successPolicy !== undefined && complete && !meetsCriteria(now),
    'cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True',
  );
  for (const type of TERMINAL) {
    refuse(has(old, type) && !has(now, type), `cannot disable the terminal ${type}=True condition`);
  }
  refuse(meetsCriteria(old) && !meetsCriteria(now), 'cannot disable the SuccessCriteriaMet=True condition');
  refuse(
    isComplete(old) && !meetsCriteria(old) && meetsCriteria(now),
    'cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions',
  );
}

function checkTimes(change: Change): void {
  const { errors, at, spec, now, old } = change;
  const start = at.child('startTime');
  const completion = at.child('completionTime');
  if (turns(change, isComplete) || changes(change, 'completionTime')) {
    if (now.completionTime && !isComplete(now)) {
      const why = 'cannot set completionTime when there is no Complete=True condition';
      errors.push(completion.invalid(now.completionTime, why));
    }
    if (!now.completionTime && isComplete(now)) {
      errors.push(completion.required('completionTime is required for Complete jobs'));
    }
  }
  if (changes(change, 'startTime', 'completionTime') && now.startTime && now.completionTime) {
    if (Date.parse(now.completionTime) < Date.parse(now.startTime)) {
      errors.push(completion.invalid(now.completionTime, 'completionTime cannot be set before startTime'));
    }
  }
  if (now.completionTime && old.completionTime && changes(change, 'completionTime')) {
    errors.push(completion.invalid(now.completionTime, 'completionTime cannot be mutated'));
  }
  // What is complete before it may start has never begun.
  const hasNothingToDo = spec.suspend && spec.completions === 0;
  const mustHaveBegun = (turns(change, isFinished) || changes(change, 'startTime')) && !hasNothingToDo;
  if (mustHaveBegun && !now.startTime && isFinished(now)) {
    errors.push(start.required('startTime is required for finished job'));
  }
  const isResumed = has(old, 'Suspended') && !has(now, 'Suspended');
  if (old.startTime && changes(change, 'startTime') && !spec.suspend && !isResumed) {
    errors.push(start.invalid(now.startTime ?? null, 'field is immutable for unsuspended job once set'));
  }
}

function checkCounts(change: Change): void {
  const { errors, at, spec, now, old } = change;
  for (const count of COUNTS) checkNonNegative(errors, at, count, now[count]);
  const { active = 0, ready = 0, terminating = 0, uncountedTerminatedPods: uncounted } = now;
  if (uncounted) checkUncounted(errors, at.child('uncountedTerminatedPods'), uncounted);
  const ends = turns(change, isFinished);
  const finished = isFinished(now);
  if ((ends || changes(change, 'active')) && finished && active > 0) {
    errors.push(at.child('active').invalid(active, 'active>0 is invalid for finished job'));
  }
  const isCounting = (uncounted?.failed?.length ?? 0) + (uncounted?.succeeded?.length ?? 0) > 0;
  if ((ends || changes(change, 'uncountedTerminatedPods')) && finished && isCounting) {
    const why = 'uncountedTerminatedPods needs to be empty for finished job';
    errors.push(at.child('uncountedTerminatedPods').invalid(uncounted, why));
  }
  if ((ends || changes(change, 'terminating')) && finished && terminating > 0) {
    errors.push(at.child('terminating').invalid(terminating, 'terminating>0 is invalid for finished job'));
  }
  if (changes(change, 'active', 'ready') && ready > active) {
    errors.push(at.child('ready').invalid(ready, 'cannot set more ready pods than active'));
  }
  if ((now.failed ?? 0) < (old.failed ?? 0)) {
    errors.push(at.child('failed').invalid(now.failed ?? 0, 'cannot decrease the failed counter'));
  }
  const mayShrink = isIndexed(spec) && spec.completions === spec.parallelism;
  if (!mayShrink && (now.succeeded ?? 0) < (old.succeeded ?? 0)) {
    errors.push(at.child('succeeded').invalid(now.succeeded ?? 0, 'cannot decrease the succeeded counter'));
  }
}

function checkIndexes(change: Change): void {
  const { errors, at, spec, now } = change;
  const { completedIndexes = '', failedIndexes } = now;
  const newCompleted = changes(change, 'completedIndexes');
  const newFailed = changes(change, 'failedIndexes');
  const { completions = 0, backoffLimitPerIndex } = spec;
  const completed = parseIndexes(completedIndexes, completions);
  const failed = parseIndexes(failedIndexes ?? '', completions);
  const [completedPath, failedPath] = [at.child('completedIndexes'), at.child('failedIndexes')];
  if (newCompleted) {
    if (spec.completions !== undefined && typeof completed === 'string') {
      errors.push(completedPath.invalid(completedIndexes, `error parsing completedIndexes: ${completed}`));
    }
    if (completedIndexes !== '' && !isIndexed(spec)) {
      const why = 'cannot set non-empty completedIndexes when non-indexed completion mode';
      errors.push(completedPath.invalid(completedIndexes, why));
    }
  }
  if (newFailed && failedIndexes !== undefined) {
    if (backoffLimitPerIndex === undefined) {
      const why = 'cannot set non-null failedIndexes when backoffLimitPerIndex is null';
      errors.push(failedPath.invalid(failedIndexes, why));
    } else if (typeof failed === 'string') {
      errors.push(failedPath.invalid(failedIndexes, `error parsing failedIndexes: ${failed}`));
    }
  }
  if (!(newCompleted || newFailed) || typeof completed === 'string' || typeof failed === 'string') return;
  const common = commonIndex(completed, failed);
  if (common === undefined) return;
  errors.push(failedPath.invalid(failedIndexes, `failedIndexes and completedIndexes overlap at index: ${common}`));
}

export function checkJobStatus(errors: Errors, at: FieldPath, spec: JobSpec, now: Status, old: Status): void {
  const change: Change = { errors, at, spec, now, old };
  checkCounts(change);
  checkTimes(change);
  checkIndexes(change);
  checkConditions(change);
}
