import type { IReplicaSet } from 'kubernetes-models/apps/v1/ReplicaSet';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { fieldText } from '../field-text.ts';
import { setPodTemplateDefaults } from '../pod-spec/defaults.ts';
import type { Stored } from '../stored.ts';
import { checkCounts, checkSelectorKept, checkWorkload, workloadColumns } from './workload.ts';
import { warnOfWorkload } from './workload-warnings.ts';

export type ReplicaSet = Stored<IReplicaSet, 'spec'>;

/** https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/ */
export const replicaSet = defineKind<ReplicaSet>({
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  shortNames: ['rs'],
  categories: ['all'],
  namespaced: true,
  generation: true,
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', labelSelector: 'spec.selector' },
  columns: [
    nameColumn,
    {
      name: 'Desired',
      type: 'integer',
      description: fieldText('apps/v1.ReplicaSetSpec.replicas'),
      of: ({ spec }) => spec.replicas ?? 1,
    },
    {
      name: 'Current',
      type: 'integer',
      description: fieldText('apps/v1.ReplicaSetStatus.replicas'),
      of: ({ status }) => status?.replicas ?? 0,
    },
    {
      name: 'Ready',
      type: 'integer',
      description: fieldText('apps/v1.ReplicaSetStatus.readyReplicas'),
      of: ({ status }) => status?.readyReplicas ?? 0,
    },
    ageColumn,
    ...workloadColumns(fieldText('apps/v1.ReplicaSetSpec.selector')),
  ],
  selectableFields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
  check: (errors, at, replicaSet) => checkWorkload(errors, at, replicaSet),
  checkUpdate: checkSelectorKept,
  warn: warnOfWorkload,
  checkStatusUpdate(errors, at, { status }) {
    if (status) checkCounts(errors, at, status, ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas']);
  },
  setDefaults(replicaSet) {
    replicaSet.spec ??= {} as ReplicaSet['spec'];
    if (replicaSet.spec.minReadySeconds === 0) delete replicaSet.spec.minReadySeconds;
    replicaSet.status ??= { replicas: 0 };
    replicaSet.spec.replicas ??= 1;
    replicaSet.spec.template ??= {};
    setPodTemplateDefaults(replicaSet.spec.template);
  },
  prepareForCreate(replicaSet) {
    replicaSet.status = { replicas: 0 };
  },
});
