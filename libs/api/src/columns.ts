import {
  ageOf,
  compileLabelSelector,
  type DeepReadonly,
  type KubeObject,
  type LabelSelector,
} from '@periplus/apimachinery';
import { fieldText } from './field-text.ts';
import type { Column } from './kind.ts';

export const orNone = (text: string | undefined): string => text || '<none>';

export const nameColumn: Column<KubeObject> = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: fieldText('meta/v1.ObjectMeta.name'),
  of: (object) => object.metadata.name ?? '',
};

export const ageColumn: Column<KubeObject> = {
  name: 'Age',
  type: 'string',
  description: fieldText('meta/v1.ObjectMeta.creationTimestamp'),
  of: (object, nowMs) => ageOf(object.metadata.creationTimestamp, nowMs),
};

/** What Kubernetes prints of kinds that it gives no columns of their own. */
export const defaultColumns: readonly Column<KubeObject>[] = [
  nameColumn,
  {
    name: 'Created At',
    type: 'date',
    description: fieldText('meta/v1.ObjectMeta.creationTimestamp'),
    of: ({ metadata }) => metadata.creationTimestamp ?? '<unknown>',
  },
];

/** A map as `kubectl get` prints selectors and labels: `app=web,tier=front`, sorted, `<none>` when empty. */
export function formatLabels(labels: DeepReadonly<Record<string, string>> | undefined): string {
  const parts = Object.entries(labels ?? {}).map(([name, value]) => `${name}=${value}`);
  return orNone(parts.sort().join(','));
}

/** A selector as `kubectl get` prints it: `<none>` when it is empty, `<error>` for what validation would have refused. */
export function formatSelector(selector: DeepReadonly<LabelSelector> | undefined): string {
  try {
    return orNone(compileLabelSelector(selector).text);
  } catch {
    return '<error>';
  }
}
