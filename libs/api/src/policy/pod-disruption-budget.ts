import {
  type DeepReadonly,
  type FieldPath,
  pathSegment,
  validateAtMostHundredPercent,
  validateLabelSelector,
  validatePositiveIntOrPercent,
} from '@periplus/apimachinery';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { ageColumn, nameColumn } from '../columns.ts';
import { checkConditions } from '../conditions.ts';
import { defineKind } from '../define.ts';
import { checkNonNegative, checkOptionalOneOf, type Errors } from '../field-rules.ts';
import type { Stored } from '../stored.ts';

export type PodDisruptionBudget = Stored<IPodDisruptionBudget, 'spec'>;

const EVICTION_POLICIES = ['AlwaysAllow', 'IfHealthyBudget'];
const COUNTS = ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const;

const newStatus = () => ({ currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 });

function check(errors: Errors, at: FieldPath, { spec }: DeepReadonly<PodDisruptionBudget>): void {
  const place = at.child('spec');
  if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined) {
    errors.push(place.invalid(spec, 'minAvailable and maxUnavailable cannot be both set'));
  }
  for (const bound of ['minAvailable', 'maxUnavailable'] as const) {
    const value = spec[bound];
    if (value === undefined) continue;
    errors.push(...validatePositiveIntOrPercent(value, place.child(bound)));
    errors.push(...validateAtMostHundredPercent(value, place.child(bound)));
  }
  checkOptionalOneOf(errors, place, 'unhealthyPodEvictionPolicy', spec.unhealthyPodEvictionPolicy, EVICTION_POLICIES);
  errors.push(...validateLabelSelector(spec.selector, place.child('selector')));
}

/** https://kubernetes.io/docs/concepts/workloads/pods/disruptions/ */
export const podDisruptionBudget = defineKind<PodDisruptionBudget>({
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  shortNames: ['pdb'],
  namespaced: true,
  updatedByVersionOnly: true,
  generation: true,
  nameRule: pathSegment,
  columns: [
    nameColumn,
    {
      name: 'Min Available',
      type: 'string',
      description: 'The minimum number of pods that must be available.',
      of: ({ spec }) => String(spec.minAvailable ?? 'N/A'),
    },
    {
      name: 'Max Unavailable',
      type: 'string',
      description: 'The maximum number of pods that may be unavailable.',
      of: ({ spec }) => String(spec.maxUnavailable ?? 'N/A'),
    },
    {
      name: 'Allowed Disruptions',
      type: 'integer',
      description: 'Calculated number of pods that may be disrupted at this time.',
      of: ({ status }) => status?.disruptionsAllowed ?? 0,
    },
    ageColumn,
  ],
  check,
  checkStatusUpdate(errors, at, { status = {} }) {
    const place = at.child('status');
    checkConditions(errors, place.child('conditions'), status.conditions);
    for (const count of COUNTS) checkNonNegative(errors, place, count, status[count]);
  },
  setDefaults(budget) {
    budget.spec ??= {};
    budget.status ??= newStatus();
  },
  prepareForCreate(budget) {
    budget.status = newStatus();
  },
});
