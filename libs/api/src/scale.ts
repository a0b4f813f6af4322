import {
  compileLabelSelector,
  type DeepReadonly,
  isJsonObject,
  type KubeObject,
  selectorOfLabels,
} from '@periplus/apimachinery';
import { ageColumn, nameColumn } from './columns.ts';
import { fieldText } from './field-text.ts';
import type { Column, Kind } from './kind.ts';

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/scale/ */
export interface Scale extends KubeObject {
  spec: { replicas?: number };
  status?: { replicas: number; selector?: string };
}

/** What kubectl prints of it: `kubectl get deployment web --subresource=scale`. */
export const scaleColumns: readonly Column<Scale>[] = [
  { ...nameColumn, format: '' },
  {
    name: 'Desired',
    type: 'integer',
    description: fieldText('autoscaling/v1.ScaleSpec.replicas'),
    of: ({ spec }) => spec.replicas ?? 0,
  },
  {
    name: 'Available',
    type: 'integer',
    description: fieldText('autoscaling/v1.ScaleStatus.replicas'),
    of: ({ status }) => status?.replicas ?? 0,
  },
  ageColumn,
];

function valueAt(object: DeepReadonly<KubeObject>, path: string): unknown {
  let value: unknown = object;
  for (const name of path.replace(/^\./, '').split('.')) {
    value = isJsonObject(value) ? value[name] : undefined;
  }
  return value;
}

/** Custom resources have their selector as text, ReplicationControllers as labels, the other kinds as an object. */
function selectorText(selector: unknown): string {
  if (typeof selector === 'string') return selector;
  if (!isJsonObject(selector)) return '';
  const areLabels = Object.values(selector).every((value) => typeof value === 'string');
  return areLabels
    ? selectorOfLabels(selector as Record<string, string>).text
    : compileLabelSelector(selector as Parameters<typeof compileLabelSelector>[0]).text;
}

/** What `/scale` shows of an object. Its kind must have that part. */
export function scaleOf(kind: Kind, object: DeepReadonly<KubeObject>): Scale {
  const paths = kind.scale!;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const replicas = valueAt(object, paths.specReplicas);
  const running = valueAt(object, paths.statusReplicas);
  const selector = selectorText(valueAt(object, paths.labelSelector));
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: typeof replicas === 'number' ? { replicas } : {},
    status: { replicas: typeof running === 'number' ? running : 0, ...(selector && { selector }) },
  };
}
