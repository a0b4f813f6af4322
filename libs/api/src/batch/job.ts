import {
  compileLabelSelector,
  type DeepReadonly,
  dns1123Label,
  dns1123Subdomain,
  type FieldPath,
  humanDuration,
  isConditionTrue,
  parseTime,
  validateLabelSelector,
} from '@periplus/apimachinery';
import type { IJob } from 'kubernetes-models/batch/v1/Job';
import { workloadColumns } from '../apps/workload.ts';
import { isNews, warnOfName } from '../apps/workload-warnings.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { sameValue } from '../equality.ts';
import { checkImmutable, type Errors } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';
import { setPodTemplateDefaults } from '../pod-spec/defaults.ts';
import type { Stored } from '../stored.ts';
import { checkJobSpec, isIndexed, warnOfJobSpec } from './job-spec.ts';
import { checkJobStatus } from './job-status.ts';
import { checkTemplateKept } from './job-template-update.ts';

export type Job = Stored<IJob, 'spec'>;

const UID_LABEL = 'batch.kubernetes.io/controller-uid';
/** Of these each pair says the same; those without a domain came first. */
const NAME_LABELS = ['job-name', 'batch.kubernetes.io/job-name'];
const UID_LABELS = ['controller-uid', UID_LABEL];
const BACKOFF_LIMIT = 6;
const INT32_MAX = 2 ** 31 - 1;
const IMMUTABLE = ['completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy'] as const;

/** The first that holds is what `kubectl get` shows. */
const SHOWN_CONDITIONS = ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'];

function statusOf({ metadata, status }: DeepReadonly<Job>): string {
  const holds = (type: string): boolean => isConditionTrue(status?.conditions, type);
  if (holds('Complete')) return 'Complete';
  if (holds('Failed')) return 'Failed';
  if (metadata.deletionTimestamp !== undefined) return 'Terminating';
  return SHOWN_CONDITIONS.find(holds) ?? 'Running';
}

function completionsOf({ spec, status }: DeepReadonly<Job>): string {
  const succeeded = status?.succeeded ?? 0;
  const { completions, parallelism = 0 } = spec;
  if (completions !== undefined) return `${succeeded}/${completions}`;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationOf({ status = {} }: DeepReadonly<Job>, nowMs: number): string {
  const startMs = status.startTime ? parseTime(status.startTime) : undefined;
  if (startMs === undefined) return '';
  const endMs = status.completionTime ? parseTime(status.completionTime) : undefined;
  return humanDuration((endMs ?? nowMs) - startMs);
}

/** Labels that a Job's pods, and no others, have; what the user set already is left for validation to compare. */
function generateSelector({ metadata, spec }: Job): void {
  spec.template.metadata ??= {};
  spec.template.metadata.labels ??= {};
  const { labels } = spec.template.metadata;
  const { name = '', uid = '' } = metadata;
  for (const label of NAME_LABELS) labels[label] ??= name;
  for (const label of UID_LABELS) labels[label] ??= uid;
  spec.selector ??= {};
  spec.selector.matchLabels ??= {};
  spec.selector.matchLabels[UID_LABEL] ??= uid;
}

/** A Job without labels gets those of its pods. */
function adoptLabels({ metadata, spec }: Job): void {
  const labels = spec.template.metadata?.labels;
  if (labels && sameValue(metadata.labels, undefined)) metadata.labels = { ...labels };
}

function checkGeneratedSelector(errors: Errors, at: FieldPath, { metadata, spec }: DeepReadonly<Job>): void {
  if (spec.manualSelector || !spec.selector) return;
  const { name = '', uid = '' } = metadata;
  const expected: Record<string, string> = {};
  for (const label of UID_LABELS) expected[label] = uid;
  for (const label of NAME_LABELS) expected[label] = name;
  const labels = spec.template?.metadata?.labels ?? {};
  const place = at.child('spec', 'template', 'metadata');
  for (const label of [UID_LABELS[0]!, NAME_LABELS[0]!, UID_LABELS[1]!, NAME_LABELS[1]!]) {
    const detail = `must be '${expected[label]}'`;
    if (labels[label] === undefined) errors.push(place.key('labels', label).required(detail));
    else if (labels[label] !== expected[label]) errors.push(place.key('labels', label).invalid(labels, detail));
  }
  if (validateLabelSelector(spec.selector, at).length > 0) return;
  if (!compileLabelSelector(spec.selector).matches(expected)) {
    errors.push(at.child('spec', 'selector').invalid(spec.selector, '`selector` not auto-generated'));
  }
}

function checkSelector(errors: Errors, at: FieldPath, { spec }: DeepReadonly<Job>): void {
  const { selector, template } = spec;
  const place = at.child('spec', 'selector');
  const before = errors.length;
  if (!selector) errors.push(place.required());
  else errors.push(...validateLabelSelector(selector, place));
  if (selector && errors.length > before) return;
  const labels = template?.metadata?.labels;
  if (!compileLabelSelector(selector).matches(labels)) {
    const labelsPath = at.child('spec', 'template', 'metadata', 'labels');
    errors.push(labelsPath.invalid(labels ?? {}, '`selector` does not match template `labels`'));
  }
}

/** The last index becomes part of a host name. */
function checkHostNames(errors: Errors, at: FieldPath, { metadata, spec }: DeepReadonly<Job>): void {
  if (!isIndexed(spec) || !spec.completions || spec.completions < 0) return;
  const longest = `${metadata.name}-${spec.completions - 1}`;
  if (dns1123Label(longest).length === 0) return;
  const detail = `will not able to create pod with invalid DNS label: ${longest}`;
  errors.push(at.child('metadata', 'name').invalid(metadata.name, detail));
}

function check(errors: Errors, at: FieldPath, job: DeepReadonly<Job>): void {
  checkGeneratedSelector(errors, at, job);
  checkJobSpec(errors, at.child('spec'), job.spec);
  checkSelector(errors, at, job);
  checkHostNames(errors, at, job);
}

/** Only an indexed Job may change how often it is to succeed, with the number that run at once. */
function checkCompletions(
  errors: Errors,
  at: FieldPath,
  { spec }: DeepReadonly<Job>,
  { spec: old }: DeepReadonly<Job>,
): void {
  const { completions, parallelism } = spec;
  if (!isIndexed(spec)) checkImmutable(errors, at, 'completions', completions, old.completions);
  else if (completions !== undefined && completions !== old.completions && completions !== parallelism) {
    const detail = `can only be modified in tandem with ${at.child('parallelism').text}`;
    errors.push(at.child('completions').invalid(completions, detail));
  }
}

function checkUpdate(errors: Errors, at: FieldPath, now: DeepReadonly<Job>, old: DeepReadonly<Job>): void {
  const place = at.child('spec');
  checkCompletions(errors, place, now, old);
  checkImmutable(errors, place, 'selector', now.spec.selector, old.spec.selector);
  checkTemplateKept(errors, place, now, old);
  for (const field of IMMUTABLE) checkImmutable(errors, place, field, now.spec[field], old.spec[field]);
}

/** https://kubernetes.io/docs/concepts/workloads/controllers/job/ */
export const job = defineKind<Job>({
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  plural: 'jobs',
  categories: ['all'],
  namespaced: true,
  generation: true,
  orphansDependents: true,
  nameRule: dns1123Subdomain,
  columns: [
    nameColumn,
    { name: 'Status', type: 'string', description: 'Status of the job.', of: statusOf },
    { name: 'Completions', type: 'string', description: fieldText('batch/v1.JobStatus.succeeded'), of: completionsOf },
    { name: 'Duration', type: 'string', description: 'Time required to complete the job.', of: durationOf },
    ageColumn,
    ...workloadColumns(fieldText('batch/v1.JobSpec.selector')),
  ],
  selectableFields: { 'status.successful': ({ status }) => String(status?.succeeded ?? 0) },
  check,
  checkUpdate,
  warn(warnings, at, job, old) {
    if (old === null) warnOfName(warnings, at, job);
    if (isNews(job, old)) warnOfJobSpec(warnings, at.child('spec'), job.spec);
  },
  checkStatusUpdate(errors, at, { spec, status = {} }, { status: old = {} }) {
    checkJobStatus(errors, at.child('status'), spec, status, old);
  },
  setDefaults(job) {
    job.spec ??= {} as Job['spec'];
    job.status ??= {};
    const { spec } = job;
    if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
    spec.parallelism ??= 1;
    spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? BACKOFF_LIMIT : INT32_MAX;
    spec.completionMode ??= 'NonIndexed';
    spec.suspend ??= false;
    spec.manualSelector ??= false;
    spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed';
    for (const { onPodConditions } of spec.podFailurePolicy?.rules ?? []) {
      for (const pattern of onPodConditions ?? []) pattern.status ||= 'True';
    }
    spec.template ??= {};
    setPodTemplateDefaults(spec.template);
    adoptLabels(job);
  },
  prepareForCreate(job) {
    if (job.spec.manualSelector) return;
    generateSelector(job);
    adoptLabels(job);
  },
});
