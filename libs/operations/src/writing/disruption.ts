import type { Pod } from '@periplus/api';
import { type DeepReadonly, formatTime, type KubeObject, withCondition } from '@periplus/apimachinery';
import type { Disruption } from '../types.ts';

type Condition = NonNullable<NonNullable<Pod['status']>['conditions']>[number];

/**
 * The pod with the condition that says so.
 * https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions
 */
export function disrupted(object: DeepReadonly<KubeObject>, disruption: Disruption, nowMs: number): KubeObject {
  const pod = object as DeepReadonly<Pod>;
  const { metadata, status } = pod;
  const { reason, message } = disruption;
  const condition: Condition = {
    ...{ type: 'DisruptionTarget', status: 'True', reason, message },
    ...(metadata.generation !== undefined && { observedGeneration: metadata.generation }),
  };
  const conditions = withCondition(status?.conditions as readonly Condition[], condition, formatTime(nowMs));
  return { ...pod, metadata: { ...metadata }, status: { ...status, conditions } } as KubeObject;
}
