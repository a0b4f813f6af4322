import { type DeepReadonly, parseQuantity } from '@periplus/apimachinery';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import type { IResourceRequirements } from 'kubernetes-models/v1/ResourceRequirements';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

type Resources = DeepReadonly<IResourceRequirements>;
const COMPUTE = ['cpu', 'memory'] as const;

const states = (quantities: Resources['requests']): boolean =>
  COMPUTE.some((name) => quantities?.[name] !== undefined && !parseQuantity(quantities[name]).isZero);

/** Has limits for both cpu and memory, and requests no less. */
const isGuaranteed = ({ limits, requests }: Resources): boolean =>
  COMPUTE.every((name) => {
    const limit = limits?.[name];
    if (limit === undefined || parseQuantity(limit).isZero) return false;
    const request = requests?.[name] ?? limit;
    return request === limit || parseQuantity(request).compare(parseQuantity(limit)) === 0;
  });

/** Resources of the pod as a whole go before those of its containers. https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/ */
export function qosClassOf(spec: DeepReadonly<IPodSpec>): QosClass {
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  const parts = spec.resources ? [spec.resources] : containers.map(({ resources = {} }) => resources);
  if (!parts.some(({ limits, requests }) => states(requests) || states(limits))) return 'BestEffort';
  return parts.every(isGuaranteed) ? 'Guaranteed' : 'Burstable';
}
