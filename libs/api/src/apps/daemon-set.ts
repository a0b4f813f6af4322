import {
  type DeepReadonly,
  type FieldPath,
  validateAtMostHundredPercent,
  validatePositiveIntOrPercent,
} from '@periplus/apimachinery';
import type { IDaemonSet } from 'kubernetes-models/apps/v1/DaemonSet';
import { ageColumn, formatLabels, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { sameValue } from '../equality.ts';
import { checkNonNegative, type Errors } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';
import { setPodTemplateDefaults } from '../pod-spec/defaults.ts';
import type { Stored } from '../stored.ts';
import {
  checkCollisionCount,
  checkSelectorKept,
  checkWorkload,
  isZero,
  type WorkloadNames,
  workloadColumns,
} from './workload.ts';
import { warnOfTemplate } from './workload-warnings.ts';

export type DaemonSet = Stored<IDaemonSet, 'spec'>;

type Status = NonNullable<DaemonSet['status']>;

const NAMES: WorkloadNames = { selector: 'daemonset', template: 'DaemonSet' };
/** Counts the templates that the set has had. https://kubernetes.io/docs/reference/labels-annotations-taints/#deprecated-daemonset-template-generation */
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';
const COUNTS = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'observedGeneration',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
] as const;

const newStatus = (): Status => ({
  currentNumberScheduled: 0,
  desiredNumberScheduled: 0,
  numberMisscheduled: 0,
  numberReady: 0,
});

/** At least 1: what anybody else wrote there does not count. */
function templateGenerationOf({ metadata }: DeepReadonly<DaemonSet>): number {
  const text = metadata.annotations?.[TEMPLATE_GENERATION] ?? '';
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : 1;
}

function setTemplateGeneration({ metadata }: DaemonSet, generation: number): void {
  metadata.annotations = { ...metadata.annotations, [TEMPLATE_GENERATION]: String(generation) };
}

function checkStrategy(errors: Errors, at: FieldPath, { spec }: DeepReadonly<DaemonSet>): void {
  const { updateStrategy = {} } = spec;
  const place = at.child('spec', 'updateStrategy');
  if (updateStrategy.type === 'OnDelete') return;
  if (updateStrategy.type !== 'RollingUpdate') {
    errors.push(place.notSupported(updateStrategy, ['RollingUpdate', 'OnDelete']));
    return;
  }
  const { maxUnavailable = 0, maxSurge = 0 } = updateStrategy.rollingUpdate ?? {};
  const unavailablePath = place.child('rollingUpdate', 'maxUnavailable');
  const surgePath = place.child('rollingUpdate', 'maxSurge');
  errors.push(...validatePositiveIntOrPercent(maxUnavailable, unavailablePath));
  errors.push(...validatePositiveIntOrPercent(maxSurge, surgePath));
  errors.push(...validateAtMostHundredPercent(maxUnavailable, unavailablePath));
  errors.push(...validateAtMostHundredPercent(maxSurge, surgePath));
  if (!isZero(maxUnavailable) && !isZero(maxSurge)) {
    errors.push(surgePath.invalid(maxSurge, 'may not be set when maxUnavailable is non-zero'));
  }
  if (isZero(maxUnavailable) && isZero(maxSurge)) {
    errors.push(unavailablePath.required('cannot be 0 when maxSurge is 0'));
  }
}

function check(errors: Errors, at: FieldPath, set: DeepReadonly<DaemonSet>): void {
  checkWorkload(errors, at, set, NAMES);
  checkStrategy(errors, at, set);
  checkNonNegative(errors, at.child('spec'), 'revisionHistoryLimit', set.spec.revisionHistoryLimit);
}

/** https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/ */
export const daemonSet = defineKind<DaemonSet>({
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  plural: 'daemonsets',
  shortNames: ['ds'],
  categories: ['all'],
  namespaced: true,
  generation: true,
  columns: [
    nameColumn,
    {
      name: 'Desired',
      type: 'integer',
      description: fieldText('apps/v1.DaemonSetStatus.desiredNumberScheduled'),
      of: ({ status }) => status?.desiredNumberScheduled ?? 0,
    },
    {
      name: 'Current',
      type: 'integer',
      description: fieldText('apps/v1.DaemonSetStatus.currentNumberScheduled'),
      of: ({ status }) => status?.currentNumberScheduled ?? 0,
    },
    {
      name: 'Ready',
      type: 'integer',
      description: fieldText('apps/v1.DaemonSetStatus.numberReady'),
      of: ({ status }) => status?.numberReady ?? 0,
    },
    {
      name: 'Up-to-date',
      type: 'integer',
      description: fieldText('apps/v1.DaemonSetStatus.updatedNumberScheduled'),
      of: ({ status }) => status?.updatedNumberScheduled ?? 0,
    },
    {
      name: 'Available',
      type: 'integer',
      description: fieldText('apps/v1.DaemonSetStatus.numberAvailable'),
      of: ({ status }) => status?.numberAvailable ?? 0,
    },
    {
      name: 'Node Selector',
      type: 'string',
      description: fieldText('v1.PodSpec.nodeSelector'),
      of: ({ spec }) => formatLabels(spec.template?.spec?.nodeSelector),
    },
    ageColumn,
    ...workloadColumns(fieldText('apps/v1.DaemonSetSpec.selector')),
  ],
  check,
  checkUpdate: checkSelectorKept,
  warn: warnOfTemplate,
  checkStatusUpdate(errors, at, { status = newStatus() }, { status: old }) {
    const place = at.child('status');
    for (const count of COUNTS) checkNonNegative(errors, place, count, status[count]);
    checkCollisionCount(errors, place, status, old ?? {});
  },
  setDefaults(set) {
    set.spec ??= {} as DaemonSet['spec'];
    set.status ??= newStatus();
    const { spec } = set;
    if (spec.minReadySeconds === 0) delete spec.minReadySeconds;
    spec.updateStrategy ??= {};
    spec.updateStrategy.type ||= 'RollingUpdate';
    if (spec.updateStrategy.type === 'RollingUpdate') {
      spec.updateStrategy.rollingUpdate ??= {};
      spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
      spec.updateStrategy.rollingUpdate.maxSurge ??= 0;
    }
    spec.revisionHistoryLimit ??= 10;
    spec.template ??= {};
    setPodTemplateDefaults(spec.template);
  },
  prepareForCreate(set) {
    set.status = newStatus();
    setTemplateGeneration(set, templateGenerationOf(set));
  },
  prepareForUpdate(set, old) {
    const before = templateGenerationOf(old);
    setTemplateGeneration(set, sameValue(set.spec.template, old.spec.template) ? before : before + 1);
  },
});
