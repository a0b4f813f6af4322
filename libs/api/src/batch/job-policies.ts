/** When pods that failed, or indexes that succeeded, decide the whole Job. */
import { type DeepReadonly, type FieldPath, qualifiedName } from '@periplus/apimachinery';
import type { IJobSpec } from 'kubernetes-models/batch/v1/JobSpec';
import type { IPodFailurePolicyOnExitCodesRequirement } from 'kubernetes-models/batch/v1/PodFailurePolicyOnExitCodesRequirement';
import type { IPodFailurePolicyOnPodConditionsPattern } from 'kubernetes-models/batch/v1/PodFailurePolicyOnPodConditionsPattern';
import type { IPodFailurePolicyRule } from 'kubernetes-models/batch/v1/PodFailurePolicyRule';
import type { ISuccessPolicyRule } from 'kubernetes-models/batch/v1/SuccessPolicyRule';
import { checkNonNegative, type Errors } from '../field-rules.ts';
import { countOf, parseIndexes } from './indexes.ts';

type JobSpec = DeepReadonly<IJobSpec>;

const RULES_MAX = 20;
const EXIT_CODES_MAX = 255;
const PATTERNS_MAX = 20;
const INDEXES_BYTES_MAX = 64 * 1024;
const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const OPERATORS = ['In', 'NotIn'];
const STATUSES = ['False', 'True', 'Unknown'];

/** Go prints the values of a list in brackets, without commas. */
const valid = (values: readonly string[]): string =>
  `valid values: [${values.map((value) => JSON.stringify(value)).join(' ')}]`;

function checkWord(errors: Errors, at: FieldPath, word: string | undefined, words: readonly string[]): void {
  if (!word) errors.push(at.required(valid(words)));
  else if (!words.includes(word)) errors.push(at.notSupported(word, words));
}

function checkExitCodes(
  errors: Errors,
  at: FieldPath,
  { operator, containerName, values = [] }: DeepReadonly<IPodFailurePolicyOnExitCodesRequirement>,
  containers: readonly string[],
): void {
  checkWord(errors, at.child('operator'), operator, OPERATORS);
  if (containerName !== undefined && !containers.includes(containerName)) {
    const detail = 'must be one of the container or initContainer names in the pod template';
    errors.push(at.child('containerName').invalid(containerName, detail));
  }
  const place = at.child('values');
  if (values.length === 0) errors.push(place.invalid(values, 'at least one value is required'));
  else if (values.length > EXIT_CODES_MAX) errors.push(place.tooMany(values.length, EXIT_CODES_MAX));
  const seen = new Set<number>();
  values.forEach((value, i) => {
    if (operator === 'In' && value === 0) {
      errors.push(place.item(i).invalid(value, 'must not be 0 for the In operator'));
    }
    if (seen.has(value)) errors.push(place.item(i).duplicate(value));
    seen.add(value);
  });
  if (values.some((value, i) => i > 0 && values[i - 1]! > value)) errors.push(place.invalid(values, 'must be ordered'));
}

function checkPatterns(
  errors: Errors,
  at: FieldPath,
  patterns: readonly DeepReadonly<IPodFailurePolicyOnPodConditionsPattern>[],
): void {
  if (patterns.length > PATTERNS_MAX) errors.push(at.tooMany(patterns.length, PATTERNS_MAX));
  patterns.forEach(({ type, status }, i) => {
    const place = at.item(i);
    for (const problem of qualifiedName(type)) errors.push(place.child('type').invalid(type, problem));
    checkWord(errors, place.child('status'), status, STATUSES);
  });
}

function checkFailureRule(
  errors: Errors,
  at: FieldPath,
  { action, onExitCodes, onPodConditions = [] }: DeepReadonly<IPodFailurePolicyRule>,
  spec: JobSpec,
  containers: readonly string[],
): void {
  if (action !== 'FailIndex') checkWord(errors, at.child('action'), action, ACTIONS);
  else if (spec.backoffLimitPerIndex === undefined) {
    errors.push(at.child('action').invalid(action, 'requires the backoffLimitPerIndex to be set'));
  }
  if (onExitCodes) checkExitCodes(errors, at.child('onExitCodes'), onExitCodes, containers);
  if (onPodConditions.length > 0) checkPatterns(errors, at.child('onPodConditions'), onPodConditions);
  if (onExitCodes && onPodConditions.length > 0) {
    errors.push(at.wrong('specifying both OnExitCodes and OnPodConditions is not supported'));
  }
  if (!onExitCodes && onPodConditions.length === 0) {
    errors.push(at.wrong('specifying one of OnExitCodes and OnPodConditions is required'));
  }
}

/** https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy */
export function checkPodFailurePolicy(errors: Errors, at: FieldPath, spec: JobSpec): void {
  if (!spec.podFailurePolicy) return;
  const rules = spec.podFailurePolicy.rules ?? [];
  const place = at.child('podFailurePolicy', 'rules');
  if (rules.length > RULES_MAX) errors.push(place.tooMany(rules.length, RULES_MAX));
  const { containers = [], initContainers = [] } = spec.template?.spec ?? {};
  const names = [...containers, ...initContainers].map(({ name }) => name);
  rules.forEach((rule, i) => {
    checkFailureRule(errors, place.item(i), rule, spec, names);
  });
}

function checkSuccessRule(
  errors: Errors,
  at: FieldPath,
  { succeededCount, succeededIndexes }: DeepReadonly<ISuccessPolicyRule>,
  completions: number,
): void {
  if (succeededCount === undefined && succeededIndexes === undefined) {
    errors.push(at.required('at least one of succeededCount or succeededIndexes must be specified'));
  }
  let total = 0;
  if (succeededIndexes !== undefined) {
    const place = at.child('succeededIndexes');
    if (succeededIndexes.length > INDEXES_BYTES_MAX) errors.push(place.tooLong(INDEXES_BYTES_MAX));
    const indexes = parseIndexes(succeededIndexes, completions);
    if (typeof indexes !== 'string') total = countOf(indexes);
    else errors.push(place.invalid(succeededIndexes, `error parsing succeededIndexes: ${indexes}`));
  }
  if (succeededCount === undefined) return;
  checkNonNegative(errors, at, 'succeededCount', succeededCount);
  const tooLarge = (most: number, what: string): void => {
    const detail = `must be less than or equal to ${most} (the number of ${what})`;
    errors.push(at.child('succeededCount').invalid(succeededCount, detail));
  };
  if (succeededCount > completions) tooLarge(completions, 'specified completions');
  if (succeededIndexes !== undefined && succeededCount > total) {
    tooLarge(total, 'indexes in the specified succeededIndexes field');
  }
}

/** https://kubernetes.io/docs/concepts/workloads/controllers/job/#success-policy */
export function checkSuccessPolicy(errors: Errors, at: FieldPath, spec: JobSpec): void {
  if (!spec.successPolicy) return;
  if (spec.completionMode !== 'Indexed') {
    errors.push(at.child('successPolicy').invalid(spec.successPolicy, 'requires indexed completion mode'));
    return;
  }
  const { rules = [] } = spec.successPolicy;
  const place = at.child('successPolicy', 'rules');
  if (rules.length === 0) {
    errors.push(place.required('at least one rules must be specified when the successPolicy is specified'));
  }
  if (rules.length > RULES_MAX) errors.push(place.tooMany(rules.length, RULES_MAX));
  rules.forEach((rule, i) => {
    checkSuccessRule(errors, place.item(i), rule, spec.completions ?? 0);
  });
}
