/** What workloads with a pod template share. */
import {
  compileLabelSelector,
  type DeepReadonly,
  type FieldPath,
  type LabelSelector,
  validateLabelSelector,
} from '@periplus/apimachinery';
import type { IPodTemplateSpec } from 'kubernetes-models/v1/PodTemplateSpec';
import { orNone } from '../columns.ts';
import { checkImmutable, checkNonNegative, type Errors } from '../field-rules.ts';
import type { Column } from '../kind.ts';
import { checkPodTemplate } from '../pod-spec/validation.ts';

export interface Workload {
  spec: { replicas?: number; minReadySeconds?: number; template?: IPodTemplateSpec; selector?: LabelSelector };
}

const containersOf = ({ spec }: DeepReadonly<Workload>) => spec.template?.spec?.containers ?? [];

/** `<error>` for what validation would have refused. */
function selectorText(selector: DeepReadonly<LabelSelector> | undefined): string {
  try {
    return orNone(compileLabelSelector(selector).text);
  } catch {
    return '<error>';
  }
}

export const workloadColumns: readonly Column<Workload>[] = [
  {
    name: 'Containers',
    type: 'string',
    priority: 1,
    description: 'Names of the containers of its pods',
    of: (workload) =>
      containersOf(workload)
        .map(({ name }) => name)
        .join(','),
  },
  {
    name: 'Images',
    type: 'string',
    priority: 1,
    description: 'Images of the containers of its pods',
    of: (workload) =>
      containersOf(workload)
        .map(({ image }) => image ?? '')
        .join(','),
  },
  {
    name: 'Selector',
    type: 'string',
    priority: 1,
    description: 'Labels of its pods',
    of: ({ spec }) => selectorText(spec.selector),
  },
];

/** Pods must be found again by the selector, and live until they are removed. */
function checkTemplate(errors: Errors, at: FieldPath, template: DeepReadonly<IPodTemplateSpec>): void {
  checkPodTemplate(errors, at, template);
  const { restartPolicy, activeDeadlineSeconds } = template.spec ?? {};
  if (restartPolicy !== 'Always') {
    errors.push(at.child('spec', 'restartPolicy').notSupported(restartPolicy ?? '', ['Always']));
  }
  if (activeDeadlineSeconds !== undefined) {
    const detail = 'activeDeadlineSeconds in ReplicaSet is not Supported';
    errors.push(at.child('spec', 'activeDeadlineSeconds').forbidden(detail));
  }
}

export function checkWorkload(errors: Errors, at: FieldPath, { spec }: DeepReadonly<Workload>): void {
  const place = at.child('spec');
  const { selector, template } = spec;
  checkNonNegative(errors, place, 'replicas', spec.replicas);
  checkNonNegative(errors, place, 'minReadySeconds', spec.minReadySeconds);
  const before = errors.length;
  if (!selector) errors.push(place.child('selector').required());
  else {
    errors.push(...validateLabelSelector(selector, place.child('selector')));
    if (!Object.keys(selector.matchLabels ?? {}).length && !selector.matchExpressions?.length) {
      errors.push(place.child('selector').invalid(selector, 'empty selector is invalid for deployment'));
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
    checkTemplate(errors, place.child('template'), template);
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

/** Counts are not negative, and none is greater than that of all pods. */
export function checkCounts<T extends object>(
  errors: Errors,
  at: FieldPath,
  status: T,
  counts: readonly (keyof T & string)[],
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
    const detail = 'cannot be greater than readyReplicas';
    errors.push(place.child('availableReplicas').invalid(of('availableReplicas'), detail));
  }
}
