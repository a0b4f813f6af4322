import type { DeepReadonly } from '@periplus/apimachinery';
import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

type Quantities = DeepReadonly<Record<string, string | number>>;
const COMPUTE = ['cpu', 'memory'] as const;

const isZero = (quantity: string | number): boolean => /^[+-]?0*\.?0*([eE][+-]?\d+|[A-Za-z]*)$/.test(String(quantity));

const states = (quantities: Quantities | undefined): boolean =>
  COMPUTE.some((name) => quantities?.[name] !== undefined && !isZero(quantities[name]));

/** Requests are limits for both cpu and memory. Defaults have filled in requests where only limits were given. */
function isGuaranteed({ resources }: DeepReadonly<IContainer>): boolean {
  return COMPUTE.every((name) => {
    const limit = resources?.limits?.[name];
    return limit !== undefined && !isZero(limit) && String(resources?.requests?.[name] ?? limit) === String(limit);
  });
}

/** https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/ */
export function qosClassOf(spec: DeepReadonly<IPodSpec>): QosClass {
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  if (!containers.some(({ resources }) => states(resources?.requests) || states(resources?.limits))) {
    return 'BestEffort';
  }
  return containers.every(isGuaranteed) ? 'Guaranteed' : 'Burstable';
}
