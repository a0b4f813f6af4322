import { type DeepReadonly, type FieldPath, parseQuantity } from '@periplus/apimachinery';
import type { IResourceQuota } from 'kubernetes-models/v1/ResourceQuota';
import type { IScopedResourceSelectorRequirement } from 'kubernetes-models/v1/ScopedResourceSelectorRequirement';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { sameValue } from '../equality.ts';
import type { Errors } from '../field-rules.ts';
import { checkQuantityOf } from '../pod-spec/resources.ts';
import { checkQuotaResourceName, isQuotaResource } from '../resource-names.ts';
import type { Stored } from '../stored.ts';

export type ResourceQuota = Stored<IResourceQuota, 'spec'>;

type Quantities = DeepReadonly<Record<string, string | number>>;
type Requirement = DeepReadonly<IScopedResourceSelectorRequirement>;

const POD_COUNT = ['pods'];
const OF_PODS = [...POD_COUNT, 'cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'];
const OF_CLAIMS = ['persistentvolumeclaims', 'requests.storage'];
/** What each scope can be combined with. */
const SCOPES: Readonly<Record<string, readonly string[]>> = {
  Terminating: OF_PODS,
  NotTerminating: OF_PODS,
  BestEffort: POD_COUNT,
  NotBestEffort: OF_PODS,
  PriorityClass: OF_PODS,
  CrossNamespacePodAffinity: OF_PODS,
  VolumeAttributesClass: OF_CLAIMS,
};
const CONFLICTING = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
];
/** Scopes that hold or do not, so that they have no values. */
const WITHOUT_VALUES = ['BestEffort', 'NotBestEffort', 'Terminating', 'NotTerminating', 'CrossNamespacePodAffinity'];

function checkQuantities(errors: Errors, at: FieldPath, list: string, quantities: Quantities | undefined): void {
  for (const name in quantities) {
    checkQuotaResourceName(errors, at.key(list, name), name);
    checkQuantityOf(errors, at.key(list, name), name, quantities[name]!);
  }
}

const isKnown = (scope: string): boolean => Object.hasOwn(SCOPES, scope);

/** The resources of `hard` that the scope does not go with. */
const misfits = (scope: string, hard: Quantities = {}): string[] =>
  isKnown(scope) ? Object.keys(hard).filter((name) => isQuotaResource(name) && !SCOPES[scope]!.includes(name)) : [];

const conflicts = (scopes: readonly string[]): number =>
  CONFLICTING.filter((pair) => pair.every((scope) => scopes.includes(scope))).length;

function checkScopes(errors: Errors, at: FieldPath, { scopes = [], hard }: DeepReadonly<ResourceQuota['spec']>): void {
  const place = at.child('scopes');
  for (const scope of scopes) {
    if (!isKnown(scope)) errors.push(place.invalid(scopes, 'unsupported scope'));
    for (const _ of misfits(scope, hard)) errors.push(place.invalid(scopes, 'unsupported scope applied to resource'));
  }
  for (let i = conflicts(scopes); i > 0; i--) errors.push(place.invalid(scopes, 'conflicting scopes'));
}

function checkRequirement(errors: Errors, at: FieldPath, { scopeName, operator, values = [] }: Requirement): void {
  if (!isKnown(scopeName)) errors.push(at.child('scopeName').invalid(scopeName, 'unsupported scope'));
  if (WITHOUT_VALUES.includes(scopeName) && operator !== 'Exists') {
    const detail =
      "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
    errors.push(at.child('operator').invalid(operator, detail));
  }
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length > 0) return;
    const detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
    errors.push(at.child('values').required(detail));
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length === 0) return;
    const detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
    errors.push(at.child('values').invalid(values, detail));
  } else errors.push(at.child('operator').invalid(operator, 'not a valid selector operator'));
}

function checkScopeSelector(errors: Errors, at: FieldPath, spec: DeepReadonly<ResourceQuota['spec']>): void {
  const { scopeSelector, hard, scopes } = spec;
  const requirements = scopeSelector?.matchExpressions ?? [];
  const place = at.child('scopeSelector', 'matchExpressions');
  for (const requirement of requirements) {
    for (const _ of misfits(requirement.scopeName, hard)) {
      errors.push(place.invalid(scopeSelector, 'unsupported scope applied to resource'));
    }
    checkRequirement(errors, place, requirement);
  }
  const names = requirements.map(({ scopeName }) => scopeName);
  for (let i = conflicts(names); i > 0; i--) errors.push(place.invalid(scopes, 'conflicting scopes'));
}

function checkStatus(errors: Errors, at: FieldPath, { status }: DeepReadonly<ResourceQuota>): void {
  checkQuantities(errors, at.child('status'), 'hard', status?.hard);
  checkQuantities(errors, at.child('status'), 'used', status?.used);
}

/** `cpu: 1/2, pods: 3/10`: what is used of what there is, of limits or of everything else. */
function usage({ status }: DeepReadonly<ResourceQuota>, ofLimits: boolean): string {
  const { hard = {}, used = {} } = status ?? {};
  const shown = Object.keys(hard).filter((name) => name.startsWith('limits.') === ofLimits);
  return shown
    .sort()
    .map(
      (name) => `${name}: ${parseQuantity(Object.hasOwn(used, name) ? used[name]! : 0)}/${parseQuantity(hard[name]!)}`,
    )
    .join(', ');
}

/** https://kubernetes.io/docs/concepts/policy/resource-quotas/ */
export const resourceQuota = defineKind<ResourceQuota>({
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  shortNames: ['quota'],
  namespaced: true,
  answersRemoved: true,
  columns: [
    nameColumn,
    {
      name: 'Request',
      type: 'string',
      description: 'Request represents a minimum amount of cpu/memory that a container may consume.',
      of: (quota) => usage(quota, false),
    },
    {
      name: 'Limit',
      type: 'string',
      description:
        'Limits control the maximum amount of cpu/memory that a container may use independent of contention on the node.',
      of: (quota) => usage(quota, true),
    },
    ageColumn,
  ],
  check(errors, at, quota) {
    const place = at.child('spec');
    checkQuantities(errors, place, 'hard', quota.spec.hard);
    checkScopes(errors, place, quota.spec);
    checkScopeSelector(errors, place, quota.spec);
  },
  checkUpdate(errors, at, { spec }, { spec: old }) {
    const sorted = (scopes: readonly string[] = []): string[] => [...new Set(scopes)].sort();
    if (sameValue(sorted(spec.scopes), sorted(old.scopes))) return;
    errors.push(at.child('spec', 'scopes').invalid(spec.scopes ?? null, 'field is immutable'));
  },
  checkStatusUpdate: checkStatus,
  setDefaults(quota) {
    quota.spec ??= {};
    quota.status ??= {};
  },
});
