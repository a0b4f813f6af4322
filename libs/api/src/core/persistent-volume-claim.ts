import { type DeepReadonly, type FieldPath, parseQuantity, qualifiedName } from '@periplus/apimachinery';
import type { IPersistentVolumeClaim } from 'kubernetes-models/v1/PersistentVolumeClaim';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { differences } from '../differences.ts';
import { sameValue } from '../equality.ts';
import { checkImmutable, checkNonNegativeQuantity, type Errors } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';
import { warnOfFractions } from '../pod-spec/warnings.ts';
import { STORAGE_CLASS_ANNOTATION, storageClassOf, warnOfClassAnnotation } from '../storage/storage-class-of.ts';
import type { Stored } from '../stored.ts';
import { accessModesText, checkClaimSpec, linkDataSources, setClaimSpecDefaults } from './claim-spec.ts';

export type PersistentVolumeClaim = Stored<IPersistentVolumeClaim, 'spec'>;

type Claim = DeepReadonly<PersistentVolumeClaim>;
type Spec = Claim['spec'];

/** Held by this until no pod uses it. */
export const PVC_PROTECTION = 'kubernetes.io/pvc-protection';
const RESIZE_STATUSES = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
  'NodeResizePending',
];

const sizeOf = (quantity: string | number | undefined) => parseQuantity(quantity ?? 0);

/** `now` with what this update may change as it is in `old`. */
function withFreedomsOf(now: Claim, old: Claim): Spec {
  const spec: { -readonly [F in keyof Spec]: Spec[F] } = { ...now.spec };
  if (!old.spec.volumeName) spec.volumeName = old.spec.volumeName;
  // Claims without a class get the default one when there is one at last.
  const oldClass = old.metadata.annotations?.[STORAGE_CLASS_ANNOTATION];
  const { storageClassName } = now.spec;
  const gainsClass = old.spec.storageClassName === undefined && storageClassName !== undefined;
  if (gainsClass && (oldClass ?? storageClassName) === storageClassName) delete spec.storageClassName;
  if (now.status?.phase !== 'Bound') return spec;
  const storage = old.spec.resources?.requests?.storage;
  if (spec.resources?.requests && storage !== undefined) {
    spec.resources = { ...spec.resources, requests: { ...spec.resources.requests, storage } };
  }
  spec.volumeAttributesClassName = old.spec.volumeAttributesClassName;
  return spec;
}

/** A volume grows; what was asked for in vain may be taken back, but not below what there is. */
function checkSize(errors: Errors, at: FieldPath, now: Claim, old: Claim): void {
  const size = sizeOf(now.spec.resources?.requests?.storage);
  if (size.compare(sizeOf(old.spec.resources?.requests?.storage)) >= 0) return;
  if (size.compare(sizeOf(old.status?.capacity?.storage)) > 0) return;
  const place = at.child('spec', 'resources', 'requests', 'storage');
  errors.push(place.forbidden('field can not be less than status.capacity'));
}

function checkAttributesClass(errors: Errors, at: FieldPath, now: Claim, old: Claim): void {
  const { volumeAttributesClassName: name } = now.spec;
  if (name === old.spec.volumeAttributesClassName || old.status?.currentVolumeAttributesClassName === undefined) return;
  const refuse = (to: string): void => {
    const detail = `update to ${to} is forbidden when status.currentVolumeAttributesClassName is not nil`;
    errors.push(at.child('spec', 'volumeAttributesClassName').forbidden(detail));
  };
  if (name === undefined) refuse('nil');
  else if (name === '') refuse('empty string');
}

function checkUpdate(errors: Errors, at: FieldPath, now: Claim, old: Claim): void {
  const [annotation, before] = [now, old].map(({ metadata }) => metadata.annotations?.[STORAGE_CLASS_ANNOTATION] ?? '');
  const becomesField = before !== '' && annotation === '' && now.spec.storageClassName === before;
  if (!becomesField)
    checkImmutable(errors, at.child('metadata', 'annotations'), STORAGE_CLASS_ANNOTATION, annotation, before);
  const spec = withFreedomsOf(now, old);
  if (!sameValue(spec, old.spec)) {
    const rule =
      'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
    errors.push(at.child('spec').forbidden([rule, ...differences(old.spec, spec, 'spec')].join('\n')));
  }
  checkSize(errors, at, now, old);
  checkImmutable(errors, at, 'volumeMode', now.spec.volumeMode, old.spec.volumeMode);
  checkAttributesClass(errors, at, now, old);
}

/** Of the resources of volumes Kubernetes itself knows the size alone. */
function checkVolumeResource(errors: Errors, at: FieldPath, name: string): boolean {
  const problems = qualifiedName(name);
  for (const problem of problems) errors.push(at.invalid(name, problem));
  if (problems.length > 0) return false;
  const isNative = !name.includes('/') || name.includes('kubernetes.io/');
  if (isNative && name !== 'storage') errors.push(at.notSupported(name, ['storage']));
  return !isNative || name === 'storage';
}

function checkStatusUpdate(errors: Errors, at: FieldPath, { status = {} }: Claim): void {
  const place = at.child('status');
  for (const [name, quantity] of Object.entries(status.capacity ?? {})) {
    checkNonNegativeQuantity(errors, place.key('capacity', name), quantity);
  }
  for (const [name, resize] of Object.entries(status.allocatedResourceStatuses ?? {})) {
    checkVolumeResource(errors, place.child('allocatedResourceStatuses'), name);
    if (RESIZE_STATUSES.includes(resize)) continue;
    errors.push(place.child('allocatedResourceStatuses').notSupported(name, RESIZE_STATUSES));
  }
  for (const [name, quantity] of Object.entries(status.allocatedResources ?? {})) {
    if (!checkVolumeResource(errors, place.child('allocatedResources'), name)) continue;
    checkNonNegativeQuantity(errors, place.key('allocatedResources', name), quantity);
  }
}

/** https://kubernetes.io/docs/concepts/storage/persistent-volumes/#persistentvolumeclaims */
export const persistentVolumeClaim = defineKind<PersistentVolumeClaim>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  shortNames: ['pvc'],
  namespaced: true,
  answersRemoved: true,
  columns: [
    nameColumn,
    {
      name: 'Status',
      type: 'string',
      description: fieldText('v1.PersistentVolumeClaimStatus.phase'),
      of: ({ metadata, status }) => (metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating'),
    },
    {
      name: 'Volume',
      type: 'string',
      description: fieldText('v1.PersistentVolumeClaimSpec.volumeName'),
      of: ({ spec }) => spec.volumeName ?? '',
    },
    {
      name: 'Capacity',
      type: 'string',
      description: fieldText('v1.PersistentVolumeClaimStatus.capacity'),
      of: ({ spec, status }) => (spec.volumeName ? sizeOf(status?.capacity?.storage).toString() : ''),
    },
    {
      name: 'Access Modes',
      type: 'string',
      description: fieldText('v1.PersistentVolumeClaimStatus.accessModes'),
      of: ({ spec, status }) => (spec.volumeName ? accessModesText(status?.accessModes) : ''),
    },
    { name: 'StorageClass', type: 'string', description: 'StorageClass of the pvc', of: storageClassOf },
    {
      name: 'VolumeAttributesClass',
      type: 'string',
      description: 'VolumeAttributesClass of the pvc',
      of: ({ spec }) => spec.volumeAttributesClassName ?? '<unset>',
    },
    ageColumn,
    {
      name: 'VolumeMode',
      type: 'string',
      priority: 1,
      description: fieldText('v1.PersistentVolumeClaimSpec.volumeMode'),
      of: ({ spec }) => spec.volumeMode ?? '<unset>',
    },
  ],
  check: (errors, at, { spec }) => checkClaimSpec(errors, at.child('spec'), spec),
  checkUpdate,
  warn(warnings, at, claim) {
    warnOfClassAnnotation(warnings, at, claim);
    const { resources } = claim.spec;
    warnOfFractions(warnings, at.child('spec', 'resources'), 'requests', resources?.requests, ['storage']);
  },
  checkStatusUpdate,
  setDefaults(claim) {
    claim.spec ??= {};
    setClaimSpecDefaults(claim.spec);
    claim.status ??= {};
    claim.status.phase ||= 'Pending';
  },
  prepareForCreate(claim) {
    claim.status = { phase: 'Pending' };
    linkDataSources(claim.spec);
  },
  prepareForUpdate: (claim) => linkDataSources(claim.spec),
});
