/** Where a pod wants to run, and next to what. https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/ */
import {
  type DeepReadonly,
  dns1123Label,
  dns1123Subdomain,
  type FieldPath,
  labelValue,
  qualifiedName,
  validateLabelSelector,
} from '@periplus/apimachinery';
import type { IAffinity } from 'kubernetes-models/v1/Affinity';
import type { INodeSelector } from 'kubernetes-models/v1/NodeSelector';
import type { INodeSelectorRequirement } from 'kubernetes-models/v1/NodeSelectorRequirement';
import type { INodeSelectorTerm } from 'kubernetes-models/v1/NodeSelectorTerm';
import type { IPodAffinity } from 'kubernetes-models/v1/PodAffinity';
import type { IPodAffinityTerm } from 'kubernetes-models/v1/PodAffinityTerm';
import type { ITopologySpreadConstraint } from 'kubernetes-models/v1/TopologySpreadConstraint';
import { checkOptionalOneOf, type Errors } from '../field-rules.ts';
import { checkLabelKeys } from './label-keys.ts';

const SPREAD_ACTIONS = ['DoNotSchedule', 'ScheduleAnyway'];
const INCLUSION_POLICIES = ['Honor', 'Ignore'];

function checkRequirement(
  errors: Errors,
  at: FieldPath,
  { key, operator, values = [] }: DeepReadonly<INodeSelectorRequirement>,
  mayHaveOddValues: boolean,
): void {
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) {
      errors.push(at.child('values').required("must be specified when `operator` is 'In' or 'NotIn'"));
    }
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) {
      errors.push(at.child('values').forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    }
  } else if (operator === 'Gt' || operator === 'Lt') {
    if (values.length !== 1) {
      errors.push(at.child('values').required("must be specified single value when `operator` is 'Lt' or 'Gt'"));
    }
  } else errors.push(at.child('operator').invalid(operator, 'not a valid selector operator'));
  for (const problem of qualifiedName(key)) errors.push(at.child('key').invalid(key, problem));
  if (mayHaveOddValues) return;
  values.forEach((value, i) => {
    for (const problem of labelValue(value)) errors.push(at.index('values', i).invalid(value, problem));
  });
}

function checkFieldRequirement(
  errors: Errors,
  at: FieldPath,
  { key, operator, values = [] }: DeepReadonly<INodeSelectorRequirement>,
): void {
  if (operator !== 'In' && operator !== 'NotIn') {
    errors.push(at.child('operator').invalid(operator, 'not a valid selector operator'));
  } else if (values.length !== 1) {
    const detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
    errors.push(at.child('values').required(detail));
  }
  if (key !== 'metadata.name') {
    errors.push(at.child('key').invalid(key, 'not a valid field selector key'));
    return;
  }
  values.forEach((value, i) => {
    for (const problem of dns1123Subdomain(value)) errors.push(at.index('values', i).invalid(value, problem));
  });
}

function checkNodeTerm(errors: Errors, at: FieldPath, term: DeepReadonly<INodeSelectorTerm>, preferred: boolean): void {
  term.matchExpressions?.forEach((requirement, i) => {
    checkRequirement(errors, at.index('matchExpressions', i), requirement, preferred);
  });
  term.matchFields?.forEach((requirement, i) => {
    checkFieldRequirement(errors, at.index('matchFields', i), requirement);
  });
}

function checkWeight(errors: Errors, at: FieldPath, weight: number): void {
  if (weight <= 0 || weight > 100) errors.push(at.child('weight').invalid(weight, 'must be in the range 1-100'));
}

export function checkNodeSelector(errors: Errors, at: FieldPath, selector: DeepReadonly<INodeSelector>): void {
  const terms = selector.nodeSelectorTerms ?? [];
  if (terms.length === 0) {
    errors.push(at.child('nodeSelectorTerms').required('must have at least one node selector term'));
  }
  terms.forEach((term, i) => {
    checkNodeTerm(errors, at.index('nodeSelectorTerms', i), term, false);
  });
}

export function checkNodeAffinity(
  errors: Errors,
  at: FieldPath,
  affinity: DeepReadonly<IAffinity>['nodeAffinity'],
): void {
  const required = affinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (required) checkNodeSelector(errors, at.child('requiredDuringSchedulingIgnoredDuringExecution'), required);
  affinity?.preferredDuringSchedulingIgnoredDuringExecution?.forEach(({ weight, preference }, i) => {
    const place = at.index('preferredDuringSchedulingIgnoredDuringExecution', i);
    checkWeight(errors, place, weight);
    checkNodeTerm(errors, place.child('preference'), preference ?? {}, true);
  });
}

function checkPodTerm(errors: Errors, at: FieldPath, term: DeepReadonly<IPodAffinityTerm>): void {
  errors.push(...validateLabelSelector(term.labelSelector, at.child('labelSelector')));
  errors.push(...validateLabelSelector(term.namespaceSelector, at.child('namespaceSelector')));
  for (const name of term.namespaces ?? []) {
    for (const problem of dns1123Label(name)) errors.push(at.child('namespace').invalid(name, problem));
  }
  checkLabelKeys(errors, at, term);
  const key = term.topologyKey ?? '';
  if (!key) errors.push(at.child('topologyKey').required('can not be empty'));
  for (const problem of qualifiedName(key)) errors.push(at.child('topologyKey').invalid(key, problem));
}

/** A term that was left out. */
const NOWHERE: DeepReadonly<IPodAffinityTerm> = { topologyKey: '' };

function checkPodAffinity(errors: Errors, at: FieldPath, affinity: DeepReadonly<IPodAffinity> | undefined): void {
  affinity?.requiredDuringSchedulingIgnoredDuringExecution?.forEach((term, i) => {
    checkPodTerm(errors, at.index('requiredDuringSchedulingIgnoredDuringExecution', i), term);
  });
  affinity?.preferredDuringSchedulingIgnoredDuringExecution?.forEach(({ weight, podAffinityTerm }, i) => {
    const place = at.index('preferredDuringSchedulingIgnoredDuringExecution', i);
    checkWeight(errors, place, weight);
    checkPodTerm(errors, place.child('podAffinityTerm'), podAffinityTerm ?? NOWHERE);
  });
}

export function checkAffinity(errors: Errors, at: FieldPath, affinity: DeepReadonly<IAffinity> | undefined): void {
  if (!affinity) return;
  const place = at.child('affinity');
  checkNodeAffinity(errors, place.child('nodeAffinity'), affinity.nodeAffinity);
  checkPodAffinity(errors, place.child('podAffinity'), affinity.podAffinity);
  checkPodAffinity(errors, place.child('podAntiAffinity'), affinity.podAntiAffinity);
}

type Constraint = DeepReadonly<ITopologySpreadConstraint>;

function checkConstraint(errors: Errors, at: FieldPath, constraint: Constraint): void {
  const { maxSkew, topologyKey, whenUnsatisfiable, minDomains, labelSelector } = constraint;
  if (maxSkew <= 0) errors.push(at.child('maxSkew').invalid(maxSkew, 'must be greater than zero'));
  if (!topologyKey) errors.push(at.child('topologyKey').required('can not be empty'));
  if (!SPREAD_ACTIONS.includes(whenUnsatisfiable)) {
    errors.push(at.child('whenUnsatisfiable').notSupported(whenUnsatisfiable ?? '', SPREAD_ACTIONS));
  }
  if (minDomains !== undefined && minDomains <= 0) {
    errors.push(at.child('minDomains').invalid(minDomains, 'must be greater than zero'));
  }
  if (minDomains !== undefined && whenUnsatisfiable !== 'DoNotSchedule') {
    const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
    errors.push(at.child('minDomains').invalid(minDomains, detail));
  }
  checkOptionalOneOf(errors, at, 'nodeAffinityPolicy', constraint.nodeAffinityPolicy, INCLUSION_POLICIES);
  checkOptionalOneOf(errors, at, 'nodeTaintsPolicy', constraint.nodeTaintsPolicy, INCLUSION_POLICIES);
  checkLabelKeys(errors, at, constraint);
  errors.push(...validateLabelSelector(labelSelector, at.child('labelSelector')));
}

export function checkTopologySpread(
  errors: Errors,
  at: FieldPath,
  constraints: readonly Constraint[] | undefined,
): void {
  constraints?.forEach((constraint, i) => {
    const place = at.index('topologySpreadConstraints', i);
    checkConstraint(errors, place, constraint);
    const { topologyKey, whenUnsatisfiable } = constraint;
    const isRepeated = constraints
      .slice(i + 1)
      .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable);
    if (isRepeated) {
      errors.push(place.child('{topologyKey, whenUnsatisfiable}').duplicate(`{${topologyKey}, ${whenUnsatisfiable}}`));
    }
  });
}
