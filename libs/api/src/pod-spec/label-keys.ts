/**
 * matchLabelKeys and mismatchLabelKeys of pod affinity and topology spread: labels whose values the pod itself has. They
 * are written into the selectors of a pod as it is created, so who reads a pod needs its selectors alone.
 * https://kep.k8s.io/3633, https://kep.k8s.io/3243
 */
import {
  type DeepReadonly,
  type FieldPath,
  type LabelSelector,
  type Labels,
  qualifiedName,
} from '@periplus/apimachinery';
import type { Pod } from '../core/pod-type.ts';
import type { Errors } from '../field-rules.ts';

/** A term of affinity, or a constraint. */
interface Narrowed {
  labelSelector?: LabelSelector;
  matchLabelKeys?: string[];
  mismatchLabelKeys?: string[];
}

const ownValues = (keys: readonly string[] = [], operator: 'In' | 'NotIn', labels: Labels) =>
  keys.filter((key) => Object.hasOwn(labels, key)).map((key) => ({ key, operator, values: [labels[key]!] }));

function merge({ labelSelector, matchLabelKeys, mismatchLabelKeys }: Narrowed, labels: Labels): void {
  // Without a selector it is about no pod, whatever the keys say.
  if (!labelSelector) return;
  const own = [...ownValues(matchLabelKeys, 'In', labels), ...ownValues(mismatchLabelKeys, 'NotIn', labels)];
  if (own.length > 0) labelSelector.matchExpressions = [...(labelSelector.matchExpressions ?? []), ...own];
}

/** Narrows the selectors of a new pod by what its keys say. Not idempotent. */
export function mergeLabelKeys({ metadata, spec }: Pod): void {
  const { labels = {} } = metadata;
  for (const constraint of spec.topologySpreadConstraints ?? []) merge(constraint, labels);
  if (!spec.affinity) return;
  for (const affinity of [spec.affinity.podAffinity, spec.affinity.podAntiAffinity]) {
    for (const term of affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) merge(term, labels);
    for (const { podAffinityTerm } of affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []) {
      // Nobody has checked yet that it is there.
      if (podAffinityTerm) merge(podAffinityTerm, labels);
    }
  }
}

function checkNames(
  errors: Errors,
  at: FieldPath,
  field: 'matchLabelKeys' | 'mismatchLabelKeys',
  { labelSelector, [field]: keys = [] }: DeepReadonly<Narrowed>,
): void {
  if (keys.length > 0 && !labelSelector) {
    errors.push(at.child(field).forbidden('must not be specified when labelSelector is not set'));
    return;
  }
  keys.forEach((key, i) => {
    for (const problem of qualifiedName(key)) errors.push(at.index(field, i).invalid(key, problem));
  });
}

/**
 * A key that the selector of a pod has twice was there before it was merged. In a template, where nothing is merged, one
 * that is there once shows only in its pods.
 */
export function checkLabelKeys(errors: Errors, at: FieldPath, narrowed: DeepReadonly<Narrowed>): void {
  checkNames(errors, at, 'matchLabelKeys', narrowed);
  checkNames(errors, at, 'mismatchLabelKeys', narrowed);
  const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = narrowed;
  const selected = new Set(Object.keys(labelSelector?.matchLabels ?? {}));
  for (const { key } of labelSelector?.matchExpressions ?? []) {
    if (selected.has(key) && matchLabelKeys.includes(key)) {
      // So does Kubernetes name the place.
      const place = at.item(matchLabelKeys.lastIndexOf(key));
      errors.push(place.invalid(key, 'exists in both matchLabelKeys and labelSelector'));
    }
    selected.add(key);
  }
  matchLabelKeys.forEach((key, i) => {
    if (!mismatchLabelKeys.includes(key)) return;
    errors.push(at.index('matchLabelKeys', i).invalid(key, 'exists in both matchLabelKeys and mismatchLabelKeys'));
  });
}
