/** What a Job and the template of one in a CronJob have to keep. */
import { type DeepReadonly, dns1123Subdomain, type FieldPath } from '@periplus/apimachinery';
import type { IJobSpec } from 'kubernetes-models/batch/v1/JobSpec';
import { checkNonNegative, checkOptionalOneOf, type Errors, type Warnings, warn } from '../field-rules.ts';
import { checkPodTemplate } from '../pod-spec/validation.ts';
import { warnOfPod } from '../pod-spec/warnings.ts';
import { checkPodFailurePolicy, checkSuccessPolicy } from './job-policies.ts';

export type JobSpec = DeepReadonly<IJobSpec>;

const COMPLETION_MODES = ['NonIndexed', 'Indexed'];
const REPLACEMENT_POLICIES = ['Failed', 'TerminatingOrFailed'];
const COUNTS = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
] as const;
const MANAGED_BY_LENGTH_MAX = 63;
/** These bound the lists of indexes in a Job's status. */
const PARALLELISM_MAX = 100_000;
const FAILED_INDEXES_MAX = 100_000;
const MANY_COMPLETIONS = 100_000;
/** Of parallelism and failed indexes alike, when there are many completions. */
const MANY_COMPLETIONS_MAX = 10_000;

export const isIndexed = ({ completionMode }: JobSpec): boolean => completionMode === 'Indexed';

const HTTP_PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const httpPath = new RegExp(`^${HTTP_PATH}$`);

/** `example.com/controller`. */
function checkManagedBy(errors: Errors, at: FieldPath, name: string): void {
  const slash = name.indexOf('/');
  const [domain, path] = [name.slice(0, slash), name.slice(slash + 1)];
  if (name === '') errors.push(at.required());
  else if (slash < 0 || domain === '' || path === '') {
    const detail = 'must be a domain-prefixed path (such as "acme.io/foo")';
    errors.push(at.invalid(name, detail));
  } else {
    for (const problem of dns1123Subdomain(domain)) errors.push(at.invalid(domain, problem));
    if (!httpPath.test(path))
      errors.push(at.invalid(path, `Invalid path (regex used for validation is '${HTTP_PATH}')`));
  }
  if (name.length > MANAGED_BY_LENGTH_MAX) errors.push(at.tooLong(MANAGED_BY_LENGTH_MAX));
}

function checkIndexedMode(errors: Errors, at: FieldPath, spec: JobSpec): void {
  const { completions, parallelism = 0, maxFailedIndexes, backoffLimitPerIndex } = spec;
  const tooLarge = (field: 'parallelism' | 'maxFailedIndexes', most: number | string, when = ''): void => {
    errors.push(at.child(field).invalid(spec[field], `must be less than or equal to ${most}${when}`));
  };
  if (completions === undefined) errors.push(at.child('completions').required('when completion mode is Indexed'));
  if (parallelism > PARALLELISM_MAX) tooLarge('parallelism', PARALLELISM_MAX, ' when completion mode is Indexed');
  if (maxFailedIndexes !== undefined) {
    if (completions !== undefined && maxFailedIndexes > completions) tooLarge('maxFailedIndexes', 'completions');
    if (maxFailedIndexes > FAILED_INDEXES_MAX) tooLarge('maxFailedIndexes', FAILED_INDEXES_MAX);
  }
  if ((completions ?? 0) <= MANY_COMPLETIONS || backoffLimitPerIndex === undefined) return;
  const when = ` when completions are above ${MANY_COMPLETIONS} and used with backoff limit per index`;
  if (maxFailedIndexes === undefined) {
    const detail = `must be specified when completions is above ${MANY_COMPLETIONS}`;
    errors.push(at.child('maxFailedIndexes').required(detail));
  }
  if (parallelism > MANY_COMPLETIONS_MAX) tooLarge('parallelism', MANY_COMPLETIONS_MAX, when);
  if ((maxFailedIndexes ?? 0) > MANY_COMPLETIONS_MAX) tooLarge('maxFailedIndexes', MANY_COMPLETIONS_MAX, when);
}

function checkCompletionMode(errors: Errors, at: FieldPath, spec: JobSpec): void {
  checkOptionalOneOf(errors, at, 'completionMode', spec.completionMode, COMPLETION_MODES);
  if (isIndexed(spec)) checkIndexedMode(errors, at, spec);
  else if (spec.completionMode === undefined || spec.completionMode === 'NonIndexed') {
    for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const) {
      if (spec[field] !== undefined) {
        errors.push(at.child(field).invalid(spec[field], 'requires indexed completion mode'));
      }
    }
  }
}

/** A Job's pods end; which of them are tried again is for the Job or for the node to say. */
function checkRestartPolicy(errors: Errors, at: FieldPath, { template, podFailurePolicy }: JobSpec): void {
  const policy = template?.spec?.restartPolicy ?? '';
  const place = at.child('template', 'spec', 'restartPolicy');
  if (policy === '' || policy === 'Always') errors.push(place.required('valid values: "OnFailure", "Never"'));
  else if (policy !== 'OnFailure' && policy !== 'Never')
    errors.push(place.notSupported(policy, ['OnFailure', 'Never']));
  else if (podFailurePolicy && policy !== 'Never') {
    errors.push(place.invalid(policy, 'only "Never" is supported when podFailurePolicy is specified'));
  }
}

/** All but the selector, which the template of a Job does not have. */
export function checkJobSpec(errors: Errors, at: FieldPath, spec: JobSpec): void {
  for (const field of COUNTS) checkNonNegative(errors, at, field, spec[field]);
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    errors.push(at.child('backoffLimitPerIndex').required('when maxFailedIndexes is specified'));
  }
  if (spec.managedBy !== undefined) checkManagedBy(errors, at.child('managedBy'), spec.managedBy);
  checkCompletionMode(errors, at, spec);
  checkPodFailurePolicy(errors, at, spec);
  checkSuccessPolicy(errors, at, spec);
  const replacements = spec.podFailurePolicy ? ['Failed'] : REPLACEMENT_POLICIES;
  checkOptionalOneOf(errors, at, 'podReplacementPolicy', spec.podReplacementPolicy, replacements);
  if (spec.template) checkPodTemplate(errors, at.child('template'), spec.template);
  checkRestartPolicy(errors, at, spec);
}

const MANY_INDEXES =
  'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail';

export function warnOfJobSpec(warnings: Warnings, at: FieldPath, spec: JobSpec): void {
  const { completions = 0, parallelism = 0, template } = spec;
  if (isIndexed(spec) && completions > MANY_COMPLETIONS && parallelism > MANY_COMPLETIONS_MAX) {
    warn(warnings, at, MANY_INDEXES);
  }
  if (template) warnOfPod(warnings, at.child('template'), template, true);
}
