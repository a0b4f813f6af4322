import type { KubeObject } from '@periplus/apimachinery';
import { defineKind } from '../define.ts';
import { type Measured, type ResourceUsage, usageColumns } from './usage.ts';

export type PodMetrics = KubeObject & Measured & { containers: { name: string; usage: ResourceUsage }[] };

/** https://kubernetes.io/docs/tasks/debug/debug-cluster/resource-metrics-pipeline/#metrics-api */
export const podMetrics = defineKind<PodMetrics>({
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  kind: 'PodMetrics',
  plural: 'pods',
  singular: '',
  namespaced: true,
  isStored: false,
  verbs: ['get', 'list'],
  columns: usageColumns(({ containers = [] }) => containers.map(({ usage }) => usage)),
});
