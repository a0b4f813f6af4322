import { type DeepReadonly, dns1123Subdomain } from '@periplus/apimachinery';
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import type { IHPAScalingRules } from 'kubernetes-models/autoscaling/v2/HPAScalingRules';
import type { IMetricSpec } from 'kubernetes-models/autoscaling/v2/MetricSpec';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { checkNonNegative } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';
import type { Stored } from '../stored.ts';
import { checkScalingSpec } from './scaling-spec.ts';
import { targetsText } from './scaling-targets.ts';

/** The form of version 2, which is the one that is stored. */
export type HorizontalPodAutoscaler = Stored<IHorizontalPodAutoscaler, 'spec'>;

const CPU_UTILIZATION = 80;
const POLICY_SECONDS = 15;
const UP_PODS = 4;

export const cpuUtilization = (averageUtilization: number): IMetricSpec => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
});

/** What is measured when nobody says what. */
export const defaultMetrics = (): IMetricSpec[] => [cpuUtilization(CPU_UTILIZATION)];

const allAtOnce = { type: 'Percent', value: 100, periodSeconds: POLICY_SECONDS };

const upRules = (rules: IHPAScalingRules = {}): IHPAScalingRules => ({
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [{ type: 'Pods', value: UP_PODS, periodSeconds: POLICY_SECONDS }, { ...allAtOnce }],
  ...rules,
});

/** How long to wait before there are fewer pods is for the controller to say. */
const downRules = (rules: IHPAScalingRules = {}): IHPAScalingRules => ({
  selectPolicy: 'Max',
  policies: [{ ...allAtOnce }],
  ...rules,
});

/** As Go writes it before anything is known. */
const newStatus = () => ({ desiredReplicas: 0, currentMetrics: null }) as unknown as HorizontalPodAutoscaler['status'];

/** https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/ */
export const horizontalPodAutoscaler = defineKind<HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v2',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  shortNames: ['hpa'],
  categories: ['all'],
  namespaced: true,
  nameRule: dns1123Subdomain,
  columns: [
    nameColumn,
    {
      name: 'Reference',
      type: 'string',
      description: fieldText('autoscaling/v2.HorizontalPodAutoscalerSpec.scaleTargetRef'),
      of: ({ spec }) => `${spec.scaleTargetRef?.kind ?? ''}/${spec.scaleTargetRef?.name ?? ''}`,
    },
    {
      name: 'Targets',
      type: 'string',
      description: fieldText('autoscaling/v2.HorizontalPodAutoscalerSpec.metrics'),
      of: ({ spec, status }) => targetsText(spec.metrics, status?.currentMetrics),
    },
    {
      name: 'MinPods',
      type: 'string',
      description: fieldText('autoscaling/v2.HorizontalPodAutoscalerSpec.minReplicas'),
      of: ({ spec }) => (spec.minReplicas === undefined ? '<unset>' : String(spec.minReplicas)),
    },
    {
      name: 'MaxPods',
      type: 'string',
      description: fieldText('autoscaling/v2.HorizontalPodAutoscalerSpec.maxReplicas'),
      of: ({ spec }) => spec.maxReplicas,
    },
    {
      name: 'Replicas',
      type: 'string',
      description: fieldText('autoscaling/v2.HorizontalPodAutoscalerStatus.currentReplicas'),
      of: ({ status }) => status?.currentReplicas ?? 0,
    },
    ageColumn,
  ],
  check: (errors, at, { spec }) => checkScalingSpec(errors, at.child('spec'), spec),
  checkStatusUpdate(errors, at, { status }: DeepReadonly<HorizontalPodAutoscaler>) {
    checkNonNegative(errors, at.child('status'), 'currentReplicas', status?.currentReplicas);
    checkNonNegative(errors, at.child('status'), 'desiredReplicas', status?.desiredReplicas);
  },
  setDefaults(autoscaler) {
    autoscaler.spec ??= {} as HorizontalPodAutoscaler['spec'];
    autoscaler.status ??= newStatus();
    const { spec } = autoscaler;
    spec.maxReplicas ??= 0;
    spec.minReplicas ??= 1;
    if (!spec.metrics?.length) spec.metrics = defaultMetrics();
    if (!spec.behavior) return;
    spec.behavior.scaleUp = upRules(spec.behavior.scaleUp);
    spec.behavior.scaleDown = downRules(spec.behavior.scaleDown);
  },
  prepareForCreate(autoscaler) {
    autoscaler.status = newStatus();
  },
});
