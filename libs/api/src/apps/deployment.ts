import {
  type DeepReadonly,
  type FieldPath,
  validateAtMostHundredPercent,
  validatePositiveIntOrPercent,
} from '@periplus/apimachinery';
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { checkNonNegative, type Errors } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';
import { setPodTemplateDefaults } from '../pod-spec/defaults.ts';
import type { Stored } from '../stored.ts';
import {
  checkCollisionCount,
  checkCounts,
  checkSelectorKept,
  checkWorkload,
  isZero,
  workloadColumns,
} from './workload.ts';
import { warnOfWorkload } from './workload-warnings.ts';

export type Deployment = Stored<IDeployment, 'spec'>;

function checkStrategy(errors: Errors, at: FieldPath, { spec }: DeepReadonly<Deployment>): void {
  const { strategy = {} } = spec;
  const place = at.child('spec', 'strategy');
  if (strategy.type === 'Recreate') {
    if (strategy.rollingUpdate) {
      const detail = "may not be specified when strategy `type` is 'Recreate'";
      errors.push(place.child('rollingUpdate').forbidden(detail));
    }
  } else if (strategy.type === 'RollingUpdate') {
    const { maxUnavailable = 0, maxSurge = 0 } = strategy.rollingUpdate ?? {};
    const unavailablePath = place.child('rollingUpdate', 'maxUnavailable');
    errors.push(...validatePositiveIntOrPercent(maxUnavailable, unavailablePath));
    errors.push(...validatePositiveIntOrPercent(maxSurge, place.child('rollingUpdate', 'maxSurge')));
    if (isZero(maxUnavailable) && isZero(maxSurge)) {
      errors.push(unavailablePath.invalid(maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
    }
    errors.push(...validateAtMostHundredPercent(maxUnavailable, unavailablePath));
  } else errors.push(place.notSupported(strategy, ['Recreate', 'RollingUpdate']));
}

function check(errors: Errors, at: FieldPath, deployment: DeepReadonly<Deployment>): void {
  checkWorkload(errors, at, deployment);
  checkStrategy(errors, at, deployment);
  const { revisionHistoryLimit, progressDeadlineSeconds, minReadySeconds = 0 } = deployment.spec;
  const place = at.child('spec');
  checkNonNegative(errors, place, 'revisionHistoryLimit', revisionHistoryLimit);
  checkNonNegative(errors, place, 'progressDeadlineSeconds', progressDeadlineSeconds);
  if (progressDeadlineSeconds !== undefined && progressDeadlineSeconds <= minReadySeconds) {
    const detail = 'must be greater than minReadySeconds';
    errors.push(place.child('progressDeadlineSeconds').invalid(progressDeadlineSeconds, detail));
  }
}

function checkStatusUpdate(
  errors: Errors,
  at: FieldPath,
  { status = {} }: DeepReadonly<Deployment>,
  { status: old = {} }: DeepReadonly<Deployment>,
): void {
  checkCounts(errors, at, status, ['updatedReplicas', 'readyReplicas', 'availableReplicas']);
  const place = at.child('status');
  checkNonNegative(errors, place, 'unavailableReplicas', status.unavailableReplicas);
  checkNonNegative(errors, place, 'terminatingReplicas', status.terminatingReplicas);
  checkCollisionCount(errors, place, status, old);
}

/** https://kubernetes.io/docs/concepts/workloads/controllers/deployment/ */
export const deployment = defineKind<Deployment>({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  shortNames: ['deploy'],
  categories: ['all'],
  namespaced: true,
  generation: true,
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', labelSelector: 'spec.selector' },
  columns: [
    nameColumn,
    {
      name: 'Ready',
      type: 'string',
      description: 'Number of the pod with ready state',
      of: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 1}`,
    },
    {
      name: 'Up-to-date',
      type: 'string',
      description: fieldText('apps/v1.DeploymentStatus.updatedReplicas'),
      of: ({ status }) => status?.updatedReplicas ?? 0,
    },
    {
      name: 'Available',
      type: 'string',
      description: fieldText('apps/v1.DeploymentStatus.availableReplicas'),
      of: ({ status }) => status?.availableReplicas ?? 0,
    },
    ageColumn,
    ...workloadColumns(fieldText('apps/v1.DeploymentSpec.selector')),
  ],
  check,
  checkUpdate: checkSelectorKept,
  warn: warnOfWorkload,
  checkStatusUpdate,
  setDefaults(deployment) {
    deployment.spec ??= {} as Deployment['spec'];
    deployment.status ??= {};
    const { spec } = deployment;
    if (spec.paused === false) delete spec.paused;
    if (spec.minReadySeconds === 0) delete spec.minReadySeconds;
    spec.replicas ??= 1;
    spec.revisionHistoryLimit ??= 10;
    spec.progressDeadlineSeconds ??= 600;
    spec.strategy ??= {};
    spec.strategy.type ||= 'RollingUpdate';
    if (spec.strategy.type === 'RollingUpdate') {
      spec.strategy.rollingUpdate ??= {};
      spec.strategy.rollingUpdate.maxUnavailable ??= '25%';
      spec.strategy.rollingUpdate.maxSurge ??= '25%';
    }
    spec.template ??= {};
    setPodTemplateDefaults(spec.template);
  },
});
