import { type Pod, pod } from '@periplus/api';
import { type Admission, refused } from './admission.ts';

/** The classes that every cluster has. */
const SYSTEM_CLASSES: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
};
const DEFAULT_PRIORITY = 0;

/**
 * Resolves a pod's priority class. Only the system classes exist as yet.
 * https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#priority
 */
export const priority: Admission = {
  name: 'Priority',
  handles: ({ kind, subresource }, operation) =>
    kind === (pod as unknown) && subresource === '' && operation === 'create',
  admit(request) {
    const { spec } = request.object as Pod;
    const { priorityClassName } = spec;
    const value = priorityClassName ? SYSTEM_CLASSES[priorityClassName] : DEFAULT_PRIORITY;
    if (value === undefined) throw refused(request, `no PriorityClass with name ${priorityClassName} was found`);
    if (spec.priority !== undefined && spec.priority !== value) {
      const why = `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`;
      throw refused(request, why);
    }
    spec.priority = value;
    spec.preemptionPolicy ??= 'PreemptLowerPriority';
  },
};
