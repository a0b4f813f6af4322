import { type DeepReadonly, type FieldPath, selectorOfLabels } from '@periplus/apimachinery';
import type { IReplicationController } from 'kubernetes-models/v1/ReplicationController';
import { checkCounts, checkTemplate } from '../apps/workload.ts';
import { warnOfWorkload } from '../apps/workload-warnings.ts';
import { ageColumn, formatLabels, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { sameValue } from '../equality.ts';
import { checkNonNegative, type Errors } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';
import { setPodTemplateDefaults } from '../pod-spec/defaults.ts';
import { containerColumns } from '../pod-spec/template-columns.ts';
import type { Stored } from '../stored.ts';

export type ReplicationController = Stored<IReplicationController, 'spec'>;

const NAMES = { selector: 'replicationcontroller', template: 'ReplicationController' };

function check(errors: Errors, at: FieldPath, { spec }: DeepReadonly<ReplicationController>): void {
  const place = at.child('spec');
  const { selector = {}, template } = spec;
  const selects = Object.keys(selector).length > 0;
  checkNonNegative(errors, place, 'minReadySeconds', spec.minReadySeconds);
  if (!selects) errors.push(place.child('selector').required());
  checkNonNegative(errors, place, 'replicas', spec.replicas);
  if (!template) {
    errors.push(place.child('template').required());
    return;
  }
  const labels = template.metadata?.labels;
  if (selects && !selectorOfLabels(selector).matches(labels)) {
    const labelsPath = place.child('template', 'metadata', 'labels');
    errors.push(labelsPath.invalid(labels ?? {}, '`selector` does not match template `labels`'));
  }
  checkTemplate(errors, place.child('template'), template, NAMES);
}

/** What ReplicaSets came from. https://kubernetes.io/docs/concepts/workloads/controllers/replicationcontroller/ */
export const replicationController = defineKind<ReplicationController>({
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  plural: 'replicationcontrollers',
  shortNames: ['rc'],
  categories: ['all'],
  namespaced: true,
  generation: true,
  orphansDependents: true,
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', labelSelector: 'spec.selector' },
  columns: [
    nameColumn,
    {
      name: 'Desired',
      type: 'integer',
      description: fieldText('v1.ReplicationControllerSpec.replicas'),
      of: ({ spec }) => spec.replicas ?? 1,
    },
    {
      name: 'Current',
      type: 'integer',
      description: fieldText('v1.ReplicationControllerStatus.replicas'),
      of: ({ status }) => status?.replicas ?? 0,
    },
    {
      name: 'Ready',
      type: 'integer',
      description: fieldText('v1.ReplicationControllerStatus.readyReplicas'),
      of: ({ status }) => status?.readyReplicas ?? 0,
    },
    ageColumn,
    ...containerColumns<ReplicationController>(({ spec }) => spec.template),
    {
      name: 'Selector',
      type: 'string',
      priority: 1,
      description: fieldText('v1.ReplicationControllerSpec.selector'),
      of: ({ spec }) => formatLabels(spec.selector),
    },
  ],
  selectableFields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
  check,
  warn(warnings, at, controller, old) {
    const { template } = controller.spec;
    warnOfWorkload(warnings, at, { ...controller, spec: { template } }, old);
  },
  checkStatusUpdate(errors, at, { status }) {
    if (status) checkCounts(errors, at, status, ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas']);
  },
  setDefaults(controller) {
    controller.spec ??= {};
    controller.status ??= { replicas: 0 };
    const { metadata, spec } = controller;
    if (spec.minReadySeconds === 0) delete spec.minReadySeconds;
    const labels = spec.template?.metadata?.labels;
    if (labels && sameValue(spec.selector, undefined)) spec.selector = { ...labels };
    if (labels && sameValue(metadata.labels, undefined)) metadata.labels = { ...labels };
    spec.replicas ??= 1;
    if (spec.template) setPodTemplateDefaults(spec.template);
  },
  prepareForCreate(controller) {
    controller.status = { replicas: 0 };
  },
});
