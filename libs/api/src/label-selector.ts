import type { ILabelSelector } from '@kubernetes-models/apimachinery/apis/meta/v1/LabelSelector';
import type { DeepReadonly } from '@periplus/apimachinery';
import { orNone } from './columns.ts';

/** A selector as `kubectl get -o wide` prints it: `app=web,tier in (a,b),!old`; `<none>` when it is empty. */
export function formatLabelSelector(selector: DeepReadonly<ILabelSelector> | undefined): string {
  const parts = Object.entries(selector?.matchLabels ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`);
  for (const { key, operator, values = [] } of selector?.matchExpressions ?? []) {
    if (operator === 'Exists') parts.push(key);
    else if (operator === 'DoesNotExist') parts.push(`!${key}`);
    else parts.push(`${key} ${operator === 'In' ? 'in' : 'notin'} (${[...values].sort().join(',')})`);
  }
  return orNone(parts.join(','));
}
