import type { DeepReadonly } from '@periplus/apimachinery';
import type { Node } from './node.ts';
import type { Pod } from './pod.ts';

export type Taint = NonNullable<DeepReadonly<Node>['spec']['taints']>[number];
type Toleration = NonNullable<DeepReadonly<Pod>['spec']['tolerations']>[number];

/** Of a node or a device: their effects differ. */
type AnyTaint = Pick<Taint, 'key' | 'value'> & { readonly effect: string };
type AnyToleration = Omit<Toleration, 'effect'> & { readonly effect?: string };

/** Whether the toleration is of this taint. https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/ */
export function tolerates({ key, operator = 'Equal', value = '', effect }: AnyToleration, taint: AnyTaint): boolean {
  if (effect && effect !== taint.effect) return false;
  if (key && key !== taint.key) return false;
  if (!key && operator !== 'Exists') return false;
  return operator === 'Exists' || value === (taint.value ?? '');
}

/** Whether one of `tolerations` is of this taint. */
export const isTolerated = (taint: Taint, tolerations: readonly Toleration[] = []): boolean =>
  tolerations.some((toleration) => tolerates(toleration, taint));
