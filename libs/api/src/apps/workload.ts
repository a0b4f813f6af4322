/** What workloads with a pod template share. */
import {
  compileLabelSelector,
  type DeepReadonly,
  type FieldPath,
  type IntOrString,
  type LabelSelector,
  validateLabelSelector,
} from '@periplus/apimachinery';
import type { IPodTemplateSpec } from 'kubernetes-models/v1/PodTemplateSpec';
import { formatSelector } from '../columns.ts';
import { checkImmutable, checkNonNegative, type Errors } from '../field-rules.ts';
import type { Column } from '../kind.ts';
import { containerColumns } from '../pod-spec/template-columns.ts';
import { checkPodTemplate } from '../pod-spec/validation.ts';

export interface Workload {
  spec: { replicas?: number; minReadySeconds?: number; template?: IPodTemplateSpec; selector?: LabelSelector };
}

/** `selector`: what is said of it where the kind has it. */
export const workloadColumns = (selector: string): readonly Column<Workload>[] => [
  ...containerColumns<Workload>(({ spec }) => spec.template),
  {
    name: 'Selector',
    type: 'string',
    priority: 1,
    description: selector,
    of: ({ spec }) => formatSelector(spec.selector),
  },
];

/** How Kubernetes calls a kind in what it says of its selector and of its template. */
export interface WorkloadNames {
  selector: string;
  template: string;
}

/** Deployments are called what the ReplicaSets are called that they make, and the other way round. */
const DEPLOYMENT: WorkloadNames = { selector: 'deployment', template: 'ReplicaSet' };

/** Pods must be found again by the selector, and live until they are removed. */
export function checkTemplate(
  errors: Errors,
  at: FieldPath,
  template: DeepReadonly<IPodTemplateSpec>,
  names: WorkloadNames,
): void {
  checkPodTemplate(errors, at, template);
  const { restartPolicy, activeDeadlineSeconds } = template.spec ?? {};
  if (restartPolicy !== 'Always') {
    errors.push(at.child('spec', 'restartPolicy').notSupported(restartPolicy ?? '', ['Always']));
  }
  if (activeDeadlineSeconds !== undefined) {
    const detail = `activeDeadlineSeconds in ${names.template} is not Supported`;
    errors.push(at.child('spec', 'activeDeadlineSeconds').forbidden(detail));
  }
}

export function checkWorkload(
  errors: Errors,
  at: FieldPath,
  { spec }: DeepReadonly<Workload>,
  names: WorkloadNames = DEPLOYMENT,
): void {
  const place = at.child('spec');
  const { selector, template } = spec;
  checkNonNegative(errors, place, 'replicas', spec.replicas);
  checkNonNegative(errors, place, 'minReadySeconds', spec.minReadySeconds);
  const before = errors.length;
  if (!selector) errors.push(place.child('selector').required());
  else {
    errors.push(...validateLabelSelector(selector, place.child('selector')));
    if (!Object.keys(selector.matchLabels ?? {}).length && !selector.matchExpressions?.length) {
      errors.push(place.child('selector').invalid(selector, `empty selector is invalid for ${names.selector}`));
    }
  }
  if (!template) errors.push(place.child('template').required());
  else {
    const isSound = errors.length === before || !selector;
    const labels = template.metadata?.labels;
    if (isSound && !compileLabelSelector(selector).matches(labels)) {
      const labelsPath = place.child('template', 'metadata', 'labels');
      errors.push(labelsPath.invalid(labels ?? {}, '`selector` does not match template `labels`'));
    }
    checkTemplate(errors, place.child('template'), template, names);
  }
}

export function checkSelectorKept(
  errors: Errors,
  at: FieldPath,
  now: DeepReadonly<Workload>,
  old: DeepReadonly<Workload>,
): void {
  checkImmutable(errors, at.child('spec'), 'selector', now.spec.selector, old.spec.selector);
}

/**
 * Counts are not negative, and none is greater than that of all pods. `ready` is what Kubernetes calls the number of
 * ready ones, which the available ones are among.
 */
export function checkCounts<T extends object>(
  errors: Errors,
  at: FieldPath,
  status: T,
  counts: readonly (keyof T & string)[],
  ready = 'readyReplicas',
): void {
  const place = at.child('status');
  const of = (field: string) => ((status as Record<string, unknown>)[field] as number | undefined) ?? 0;
  for (const field of ['replicas', 'observedGeneration', ...counts]) checkNonNegative(errors, place, field, of(field));
  for (const field of counts) {
    if (of(field) > of('replicas')) {
      errors.push(place.child(field).invalid(of(field), 'cannot be greater than status.replicas'));
    }
  }
  if (of('availableReplicas') > of('readyReplicas')) {
    const detail = `cannot be greater than ${ready}`;
    errors.push(place.child('availableReplicas').invalid(of('availableReplicas'), detail));
  }
}

/** None, or none of a hundred. */
export const isZero = (value: IntOrString): boolean =>
  value === 0 || (typeof value === 'string' && /^0+%$/.test(value));

interface Collisions {
  collisionCount?: number;
}

/** Collisions of the names of what a workload makes are only ever counted up. */
export function checkCollisionCount(
  errors: Errors,
  at: FieldPath,
  { collisionCount }: Collisions,
  { collisionCount: before }: Collisions,
): void {
  checkNonNegative(errors, at, 'collisionCount', collisionCount);
  if (before !== undefined && (collisionCount ?? -1) < before) {
    errors.push(at.child('collisionCount').invalid(collisionCount ?? 0, 'cannot be decremented'));
  }
}
