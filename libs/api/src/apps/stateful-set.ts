import {
  type DeepReadonly,
  dns1123Label,
  type FieldPath,
  type IntOrString,
  validateAtMostHundredPercent,
  validatePositiveIntOrPercent,
} from '@periplus/apimachinery';
import type { IStatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import type { IVolume } from 'kubernetes-models/v1/Volume';
import { ageColumn, nameColumn } from '../columns.ts';
import { checkClaimSpec, setClaimSpecDefaults } from '../core/claim-spec.ts';
import { defineKind } from '../define.ts';
import { sameValue } from '../equality.ts';
import { checkNonNegative, checkText, type Errors, type Warnings, warn } from '../field-rules.ts';
import { setPodTemplateDefaults } from '../pod-spec/defaults.ts';
import { containerColumns } from '../pod-spec/template-columns.ts';
import { warnOfFractions } from '../pod-spec/warnings.ts';
import type { Stored } from '../stored.ts';
import { checkCollisionCount, checkCounts, checkWorkload, isZero, type WorkloadNames } from './workload.ts';
import { warnOfTemplate } from './workload-warnings.ts';

export type StatefulSet = Stored<IStatefulSet, 'spec'>;

type Spec = DeepReadonly<StatefulSet>['spec'];

const NAMES: WorkloadNames = { selector: 'statefulset', template: 'StatefulSet' };
const MANAGEMENT_POLICIES = ['OrderedReady', 'Parallel'];
const RETENTION_POLICIES = ['Retain', 'Delete'];
/** What an update may change; the error names them in this order. */
const MUTABLE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
];

function checkRollingUpdate(
  errors: Errors,
  at: FieldPath,
  { partition, maxUnavailable }: { partition?: number; maxUnavailable?: IntOrString },
): void {
  checkNonNegative(errors, at, 'partition', partition);
  if (maxUnavailable === undefined) return;
  const place = at.child('maxUnavailable');
  errors.push(...validatePositiveIntOrPercent(maxUnavailable, place));
  if (isZero(maxUnavailable)) errors.push(place.invalid(maxUnavailable, 'cannot be 0'));
  errors.push(...validateAtMostHundredPercent(maxUnavailable, place));
}

function checkStrategy(errors: Errors, at: FieldPath, { updateStrategy = {} }: Spec): void {
  const place = at.child('updateStrategy');
  const { type, rollingUpdate } = updateStrategy;
  if (!type) errors.push(place.required());
  else if (type === 'RollingUpdate') {
    if (rollingUpdate) checkRollingUpdate(errors, place.child('rollingUpdate'), rollingUpdate);
  } else if (type === 'OnDelete') {
    if (!rollingUpdate) return;
    errors.push(place.child('rollingUpdate').invalid(rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'"));
  } else errors.push(place.invalid(updateStrategy, "must be 'RollingUpdate' or 'OnDelete'"));
}

function checkPolicies(errors: Errors, at: FieldPath, spec: Spec): void {
  const management = spec.podManagementPolicy ?? '';
  if (!management) errors.push(at.child('podManagementPolicy').required());
  else if (!MANAGEMENT_POLICIES.includes(management)) {
    const detail = `must be '${MANAGEMENT_POLICIES.join("' or '")}'`;
    errors.push(at.child('podManagementPolicy').invalid(management, detail));
  }
  checkStrategy(errors, at, spec);
  for (const when of ['whenDeleted', 'whenScaled'] as const) {
    const policy = spec.persistentVolumeClaimRetentionPolicy?.[when] ?? '';
    if (!RETENTION_POLICIES.includes(policy)) {
      const place = at.child('persistentVolumeClaimRetentionPolicy', when);
      errors.push(place.notSupported(policy, RETENTION_POLICIES));
    }
  }
}

/** The template as its pods will have it: with the claims as volumes, and host names that come from the set. */
function templateOfPods({ template, volumeClaimTemplates = [] }: Spec): Spec['template'] {
  const spec = template?.spec ?? { containers: [] };
  const claims = volumeClaimTemplates.map(({ metadata }): DeepReadonly<IVolume> => {
    const name = metadata?.name ?? '';
    return { name, persistentVolumeClaim: { claimName: name } };
  });
  const others = (spec.volumes ?? []).filter(({ name }) => !claims.some((claim) => claim.name === name));
  return { ...template, spec: { ...spec, hostname: '', subdomain: '', volumes: [...claims, ...others] } };
}

function check(errors: Errors, at: FieldPath, { spec }: DeepReadonly<StatefulSet>): void {
  const place = at.child('spec');
  checkPolicies(errors, place, spec);
  checkNonNegative(errors, place, 'ordinals.start', spec.ordinals?.start);
  checkWorkload(errors, at, { spec: { ...spec, template: templateOfPods(spec) } }, NAMES);
}

/** Neither can be changed, so that what is there may stay as it is. */
function checkNew(errors: Errors, at: FieldPath, { spec }: DeepReadonly<StatefulSet>): void {
  const place = at.child('spec');
  spec.volumeClaimTemplates?.forEach((claim, i) => {
    checkClaimSpec(errors, place.index('volumeClaimTemplates', i).child('spec'), claim.spec ?? {});
  });
  checkText(errors, place, 'serviceName', spec.serviceName, dns1123Label);
}

function checkUpdate(
  errors: Errors,
  at: FieldPath,
  now: DeepReadonly<StatefulSet>,
  old: DeepReadonly<StatefulSet>,
): void {
  const kept = ({ spec }: DeepReadonly<StatefulSet>) =>
    Object.fromEntries(Object.entries(spec).filter(([field]) => !MUTABLE.includes(field)));
  if (sameValue(kept(now), kept(old))) return;
  const named = MUTABLE.map((field) => `'${field}'`);
  const list = `${named.slice(0, -1).join(', ')} and ${named.at(-1)}`;
  errors.push(at.child('spec').forbidden(`updates to statefulset spec for fields other than ${list} are forbidden`));
}

function warnOfSet(
  warnings: Warnings,
  at: FieldPath,
  set: DeepReadonly<StatefulSet>,
  old: DeepReadonly<StatefulSet> | null,
): void {
  warnOfTemplate(warnings, at, set, old);
  const place = at.child('spec');
  set.spec.volumeClaimTemplates?.forEach(({ spec }, i) => {
    const resources = place.index('volumeClaimTemplates', i).child('resources');
    warnOfFractions(warnings, resources, 'requests', spec?.resources?.requests, ['storage']);
  });
  if ((set.spec.revisionHistoryLimit ?? 0) >= 0) return;
  const why = 'a negative value retains all historical revisions; a value >= 0 is recommended';
  warn(warnings, place.child('revisionHistoryLimit'), why);
}

/** https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/ */
export const statefulSet = defineKind<StatefulSet>({
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  plural: 'statefulsets',
  shortNames: ['sts'],
  categories: ['all'],
  namespaced: true,
  generation: true,
  nameRule: dns1123Label,
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', labelSelector: 'spec.selector' },
  columns: [
    nameColumn,
    {
      name: 'Ready',
      type: 'string',
      description: 'Number of the pod with ready state',
      of: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 1}`,
    },
    ageColumn,
    ...containerColumns<StatefulSet>(({ spec }) => spec.template),
  ],
  check,
  checkNew,
  checkUpdate,
  warn: warnOfSet,
  checkStatusUpdate(errors, at, { status = { replicas: 0 } }, { status: old }) {
    const counts = ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'] as const;
    checkCounts(errors, at, status, counts, 'status.readyReplicas');
    checkCollisionCount(errors, at.child('status'), status, old ?? {});
  },
  setDefaults(set) {
    set.spec ??= {} as StatefulSet['spec'];
    set.status ??= { replicas: 0 };
    set.status.availableReplicas ??= 0;
    const { spec } = set;
    if (spec.minReadySeconds === 0) delete spec.minReadySeconds;
    spec.serviceName ??= '';
    spec.podManagementPolicy ||= 'OrderedReady';
    spec.updateStrategy ??= {};
    if (!spec.updateStrategy.type) {
      spec.updateStrategy.type = 'RollingUpdate';
      spec.updateStrategy.rollingUpdate ??= {};
    }
    const { type, rollingUpdate } = spec.updateStrategy;
    if (type === 'RollingUpdate' && rollingUpdate) rollingUpdate.partition ??= 0;
    spec.persistentVolumeClaimRetentionPolicy ??= {};
    spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= 'Retain';
    spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= 'Retain';
    spec.replicas ??= 1;
    spec.revisionHistoryLimit ??= 10;
    spec.template ??= {};
    setPodTemplateDefaults(spec.template);
    for (const claim of spec.volumeClaimTemplates ?? []) {
      claim.apiVersion = 'v1';
      claim.kind = 'PersistentVolumeClaim';
      claim.metadata ??= {};
      claim.spec ??= {};
      setClaimSpecDefaults(claim.spec);
      claim.status ??= {};
      claim.status.phase ||= 'Pending';
    }
  },
  prepareForCreate(set) {
    set.status = { replicas: 0, availableReplicas: 0 };
  },
});
