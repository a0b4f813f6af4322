import type { DeepReadonly, FieldPath } from '@periplus/apimachinery';
import type { IPriorityClass } from 'kubernetes-models/scheduling.k8s.io/v1/PriorityClass';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { checkImmutable, checkOneOf, type Errors } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';
import type { Stored } from '../stored.ts';

export type PriorityClass = Stored<IPriorityClass, 'value'>;

const SYSTEM_PREFIX = 'system-';
/** What users may give; what is above belongs to the system. */
const USER_VALUE_MAX = 1_000_000_000;
const POLICIES = ['PreemptLowerPriority', 'Never'];

/** The classes that every cluster has, which nobody may make otherwise. */
export const SYSTEM_PRIORITY_CLASSES: readonly { name: string; value: number; description: string }[] = [
  {
    name: 'system-node-critical',
    value: 2 * USER_VALUE_MAX + 1000,
    description: 'Used for system critical pods that must not be moved from their current node.',
  },
  {
    name: 'system-cluster-critical',
    value: 2 * USER_VALUE_MAX,
    description:
      'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  },
];

/** Why the class may not have a name of the system's; undefined when it may. */
function systemProblem({ metadata: { name }, value, globalDefault }: DeepReadonly<PriorityClass>): string | undefined {
  const known = SYSTEM_PRIORITY_CLASSES.find((one) => one.name === name);
  if (!known) return `${name} is not a known system priority class`;
  if (value !== known.value) return `value of ${name} PriorityClass must be ${known.value}`;
  if (globalDefault) return `globalDefault of ${name} PriorityClass must be false`;
  return undefined;
}

function checkNew(errors: Errors, at: FieldPath, priorityClass: DeepReadonly<PriorityClass>): void {
  const { metadata, value, preemptionPolicy } = priorityClass;
  if (metadata.name?.startsWith(SYSTEM_PREFIX)) {
    const problem = systemProblem(priorityClass);
    if (problem) {
      const detail = `priority class names with '${SYSTEM_PREFIX}' prefix are reserved for system use only. error: ${problem}`;
      errors.push(at.child('metadata', 'name').forbidden(detail));
    }
  } else if (value > USER_VALUE_MAX) {
    const detail = `maximum allowed value of a user defined priority is ${USER_VALUE_MAX}`;
    errors.push(at.child('value').forbidden(detail));
  }
  checkOneOf(errors, at, 'preemptionPolicy', preemptionPolicy, POLICIES);
}

/** https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/#priorityclass */
export const priorityClass = defineKind<PriorityClass>({
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  shortNames: ['pc'],
  namespaced: false,
  columns: [
    nameColumn,
    {
      name: 'Value',
      type: 'integer',
      description: fieldText('scheduling.k8s.io/v1.PriorityClass.value'),
      of: ({ value }) => value,
    },
    {
      name: 'Global-Default',
      type: 'boolean',
      description: fieldText('scheduling.k8s.io/v1.PriorityClass.globalDefault'),
      of: ({ globalDefault = false }) => globalDefault,
    },
    ageColumn,
    {
      name: 'PreemptionPolicy',
      type: 'string',
      description: fieldText('scheduling.k8s.io/v1.PriorityClass.preemptionPolicy'),
      of: ({ preemptionPolicy = '' }) => preemptionPolicy,
    },
  ],
  checkNew,
  checkUpdate(errors, at, now, old) {
    if (now.value !== old.value) errors.push(at.child('value').forbidden('may not be changed in an update.'));
    checkImmutable(errors, at, 'preemptionPolicy', now.preemptionPolicy, old.preemptionPolicy);
  },
  setDefaults(priorityClass) {
    priorityClass.value ??= 0;
    priorityClass.preemptionPolicy ??= 'PreemptLowerPriority';
    if (priorityClass.globalDefault === false) delete priorityClass.globalDefault;
  },
  /** Nothing that counts may change, so the first generation is the only one. */
  prepareForCreate({ metadata }) {
    metadata.generation = 1;
  },
});
