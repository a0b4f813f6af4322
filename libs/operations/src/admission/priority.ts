import { type Pod, type PriorityClass, pod, priorityClass } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import type { ClusterState } from '../cluster-state.ts';
import { type Admission, type AdmissionRequest, refused } from './admission.ts';

/** Of pods without a class, where none is the default. */
const NO_CLASS = { value: 0, preemptionPolicy: 'PreemptLowerPriority' } as const;

type Resolved = Pick<DeepReadonly<PriorityClass>, 'value' | 'preemptionPolicy'>;

function setPriority(request: AdmissionRequest, { value, preemptionPolicy }: Resolved): void {
  const { spec } = request.object as Pod;
  const notByHand = 'must not be provided in pod spec; priority admission controller computed';
  if (spec.priority !== undefined && spec.priority !== value) {
    const why = `the integer value of priority (${spec.priority}) ${notByHand} ${value} from the given PriorityClass name`;
    throw refused(request, why);
  }
  spec.priority = value;
  if (preemptionPolicy === undefined) return;
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== preemptionPolicy) {
    const why = `the string value of PreemptionPolicy (${spec.preemptionPolicy}) ${notByHand} ${preemptionPolicy} from the given PriorityClass name`;
    throw refused(request, why);
  }
  spec.preemptionPolicy = preemptionPolicy;
}

/** Whoever sends a pod back may have left out what the server had filled in. */
function keepPriority({ object, old }: AdmissionRequest): void {
  const { spec } = object as Pod;
  const { spec: before } = old as DeepReadonly<Pod>;
  if (before.priority !== undefined) spec.priority ??= before.priority;
  if (before.preemptionPolicy !== undefined) spec.preemptionPolicy ??= before.preemptionPolicy;
}

/**
 * Resolves a pod's priority class, and keeps the cluster to one default class.
 * https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#priority
 */
export function priority(cluster: ClusterState): Admission {
  const admitPod = (request: AdmissionRequest): void | Promise<void> => {
    const { spec } = request.object as Pod;
    const { priorityClassName } = spec;
    if (!priorityClassName) {
      const byDefault = cluster.defaultPriorityClass();
      if (byDefault) spec.priorityClassName = byDefault.metadata.name;
      return setPriority(request, byDefault ?? NO_CLASS);
    }
    const find = () => cluster.object(priorityClass, '', priorityClassName);
    const found = find();
    if (found) return setPriority(request, found);
    return cluster.eventually(find).then((later) => {
      if (!later) throw refused(request, `no PriorityClass with name ${priorityClassName} was found`);
      setPriority(request, later);
    });
  };

  return {
    name: 'Priority',
    handles: ({ kind, subresource }, operation) =>
      subresource === '' &&
      operation !== 'delete' &&
      (kind === (pod as unknown) || kind === (priorityClass as unknown)),
    admit(request) {
      if (request.target.kind !== (pod as unknown)) return;
      if (request.operation === 'update') return keepPriority(request);
      return admitPod(request);
    },
    review(request) {
      if (request.target.kind !== (priorityClass as unknown)) return;
      if (!(request.object as PriorityClass).globalDefault) return;
      const byDefault = cluster.defaultPriorityClass()?.metadata.name;
      if (byDefault === undefined || (request.operation === 'update' && byDefault === request.name)) return;
      const why = `PriorityClass ${byDefault} is already marked as default. Only one default can exist`;
      throw refused(request, why);
    },
  };
}
