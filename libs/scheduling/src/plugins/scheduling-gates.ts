import type { Pod } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';

/**
 * Whether somebody still holds the pod back from being scheduled. Lifting the last gate is a change of the pod, with
 * which it joins the queue. https://kubernetes.io/docs/concepts/scheduling-eviction/pod-scheduling-readiness/
 */
export const isGated = ({ spec }: DeepReadonly<Pod>): boolean => (spec.schedulingGates?.length ?? 0) > 0;
