/** Which pods a Job gets and loses next. */
import { job as jobKind, type Pod, pod } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import { childNames } from '../child-names.ts';
import { podOfTemplate } from '../pod-of-template.ts';
import type { PodView } from '../pod-state.ts';
import { podsToDelete } from '../replica-set/deletion-order.ts';
import { backoffMs, indexBackoffMs } from './backoff.ts';
import {
  COMPLETION_INDEX,
  failuresBefore,
  IGNORED_INDEX_FAILURES,
  INDEX_FAILURES,
  indexOf,
  isIndexed,
  isTerminating,
  type JobView,
  TRACKING,
  waitsForFailure,
} from './job-pod.ts';
import type { Tally } from './job-tally.ts';
import { judge } from './pod-failure-policy.ts';

/** Pods that one plan creates or deletes at most. */
export const BURST_MAX = 500;
const INDEX_VARIABLE = 'JOB_COMPLETION_INDEX';
/** Of a generated name without what makes it unique. */
const NAME_BASE_LENGTH_MAX = 58;

/** Pods to create or to delete, never both; `lookAgainMs` when the time for more has not come. */
export interface PodMoves {
  create: readonly DeepReadonly<Pod>[];
  remove: readonly PodView[];
  lookAgainMs?: number;
}

/** How many pods should run. */
function wantedCount({ job, active, total }: Tally): number {
  const { completions, parallelism = 1 } = job.spec;
  // The first success of a Job without number of completions is the signal to let the others end.
  if (completions === undefined) return total.succeeded > 0 ? active.length : parallelism;
  return Math.max(0, Math.min(completions - total.succeeded, parallelism));
}

/** Pods of the same index but one, and those without an index of the Job. */
function doubled({ job, active }: Tally, nowMs: number): PodView[] {
  if (!isIndexed(job)) return [];
  const byIndex = new Map<number | undefined, PodView[]>();
  for (const one of active) {
    const index = indexOf(one, job);
    byIndex.set(index, [...(byIndex.get(index) ?? []), one]);
  }
  return [...byIndex].flatMap(([index, pods]) =>
    podsToDelete(pods, pods, index === undefined ? pods.length : pods.length - 1, nowMs),
  );
}

function surplus(tally: Tally, wanted: number, nowMs: number): PodView[] {
  const gone = doubled(tally, nowMs);
  const count = tally.active.length - wanted - gone.length;
  if (count <= 0) return gone;
  const isGone = new Set(gone);
  const left = tally.active.filter((one) => !isGone.has(one));
  return [...gone, ...podsToDelete(left, left, count, nowMs)];
}

/** What a Job that is neither ending nor being deleted does about its pods. */
export function podMoves(tally: Tally, view: View): PodMoves {
  const { job, active } = tally;
  const wanted = job.spec.suspend ? 0 : wantedCount(tally);
  const remove = surplus(tally, wanted, view.nowMs).slice(0, BURST_MAX);
  if (remove.length > 0) return { create: [], remove };
  const missing = wanted - active.length - (waitsForFailure(job) ? tally.terminating : 0);
  if (missing <= 0) return { create: [], remove };
  return { remove, ...(isIndexed(job) ? indexedCreates(tally, missing, view) : plainCreates(tally, missing, view)) };
}

function plainCreates(tally: Tally, missing: number, view: View): Omit<PodMoves, 'remove'> {
  const { job, pods } = tally;
  const waitMs = backoffMs(job, pods, view.nowMs);
  if (waitMs > 0) return { create: [], lookAgainMs: waitMs };
  const names = podNames(job, `${job.metadata.name}-`, Math.min(missing, BURST_MAX), view);
  return { create: names.map((name) => podOfJob(job, name)) };
}

function indexedCreates(tally: Tally, missing: number, view: View): Omit<PodMoves, 'remove'> {
  const { job, pods, awaitingReplacement } = tally;
  const perIndex = job.spec.backoffLimitPerIndex !== undefined;
  const waitMs = perIndex ? 0 : backoffMs(job, pods, view.nowMs);
  if (waitMs > 0) return { create: [], lookAgainMs: waitMs };
  const waits: number[] = [];
  const indexes = freeIndexes(tally, Math.min(missing, BURST_MAX)).filter((index) => {
    const indexMs = perIndex ? indexBackoffMs(awaitingReplacement.get(index), view.nowMs) : 0;
    if (indexMs > 0) waits.push(indexMs);
    return indexMs === 0;
  });
  return {
    create: indexes.map((index) => podOfIndex(tally, index, view)),
    lookAgainMs: waits.length > 0 ? Math.min(...waits) : undefined,
  };
}

/** The least indexes that neither have a pod nor are decided. */
function freeIndexes({ job, pods, active, succeededIndexes, failedIndexes }: Tally, count: number): number[] {
  const held = waitsForFailure(job) ? [...active, ...pods.filter(isTerminating)] : active;
  const indexes = held.map((one) => indexOf(one, job)).filter((index) => index !== undefined);
  const taken = succeededIndexes.with(indexes);
  return (failedIndexes ? taken.union(failedIndexes) : taken).missing(count, job.spec.completions ?? 0);
}

const podNames = ({ metadata }: JobView, base: string, count: number, view: View): readonly string[] => {
  const { namespace = '', uid, resourceVersion } = metadata;
  const isTaken = (name: string): boolean => view.get(pod, namespace, name) !== undefined;
  return childNames(base, `${uid}/${resourceVersion}`, count, isTaken);
};

function podOfJob(job: JobView, name: string): DeepReadonly<Pod> {
  const { metadata, spec } = job.spec.template ?? {};
  const finalizers = [...new Set([...(metadata?.finalizers ?? []), TRACKING])];
  return podOfTemplate(job, jobKind, name, { metadata: { ...metadata, finalizers }, spec });
}

function podOfIndex({ job, awaitingReplacement }: Tally, index: number, view: View): DeepReadonly<Pod> {
  const suffix = `-${index}-`;
  const base = `${(job.metadata.name ?? '').slice(0, NAME_BASE_LENGTH_MAX - suffix.length)}${suffix}`;
  const [name = ''] = podNames(job, base, 1, view);
  const plain = podOfJob(job, name);
  const { metadata, spec } = plain;
  const mark = { [COMPLETION_INDEX]: String(index) };
  const containers = withIndexVariable(spec.containers);
  return {
    ...plain,
    metadata: {
      ...metadata,
      generateName: base,
      labels: { ...metadata.labels, ...mark },
      annotations: { ...metadata.annotations, ...mark, ...failureMarks(job, awaitingReplacement.get(index)) },
    },
    spec: {
      ...spec,
      hostname: `${job.metadata.name}-${index}`,
      containers,
      ...(spec.initContainers && { initContainers: withIndexVariable(spec.initContainers) }),
    },
  };
}

/** How often an index has failed before a pod, as its successor is told. */
function failureMarks({ spec }: JobView, replaced: PodView | undefined): Record<string, string> {
  if (spec.backoffLimitPerIndex === undefined) return {};
  const before = replaced ? failuresBefore(replaced) : { counted: 0, ignored: 0 };
  const counts = replaced && judge(spec.podFailurePolicy, replaced).counts;
  const counted = before.counted + (counts ? 1 : 0);
  const ignored = before.ignored + (replaced && !counts ? 1 : 0);
  return {
    [INDEX_FAILURES]: String(counted),
    ...(ignored > 0 && { [IGNORED_INDEX_FAILURES]: String(ignored) }),
  };
}

type Containers = DeepReadonly<Pod>['spec']['containers'];

const withIndexVariable = (containers: Containers): Containers =>
  containers.map((container) => {
    const { env = [] } = container;
    if (env.some(({ name }) => name === INDEX_VARIABLE)) return container;
    const fieldRef = { apiVersion: 'v1', fieldPath: `metadata.labels['${COMPLETION_INDEX}']` };
    return { ...container, env: [...env, { name: INDEX_VARIABLE, valueFrom: { fieldRef } }] };
  });
