import type { Node, Pod } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';

export type Taint = NonNullable<DeepReadonly<Node>['spec']['taints']>[number];
export type Toleration = NonNullable<DeepReadonly<Pod>['spec']['tolerations']>[number];

/** https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/ */
function tolerates({ key, operator = 'Equal', value = '', effect }: Toleration, taint: Taint): boolean {
  if (effect && effect !== taint.effect) return false;
  if (key && key !== taint.key) return false;
  if (!key && operator !== 'Exists') return false;
  return operator === 'Exists' || value === (taint.value ?? '');
}

export const isTolerated = (taint: Taint, tolerations: readonly Toleration[] = []): boolean =>
  tolerations.some((toleration) => tolerates(toleration, taint));
