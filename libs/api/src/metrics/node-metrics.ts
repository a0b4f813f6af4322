import type { KubeObject } from '@periplus/apimachinery';
import { defineKind } from '../define.ts';
import { type Measured, type ResourceUsage, usageColumns } from './usage.ts';

export type NodeMetrics = KubeObject & Measured & { usage: ResourceUsage };

/** https://kubernetes.io/docs/tasks/debug/debug-cluster/resource-metrics-pipeline/#metrics-api */
export const nodeMetrics = defineKind<NodeMetrics>({
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  kind: 'NodeMetrics',
  plural: 'nodes',
  singular: '',
  namespaced: false,
  isStored: false,
  verbs: ['get', 'list'],
  columns: usageColumns(({ usage }) => [usage]),
});
