import { type DeepReadonly, dns1123Subdomain, type FieldPath, parseQuantity } from '@periplus/apimachinery';
import type { IPersistentVolume } from 'kubernetes-models/v1/PersistentVolume';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { differences } from '../differences.ts';
import { sameValue } from '../equality.ts';
import { checkImmutable, checkOptionalOneOf, checkText, type Errors, warn } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';
import { checkNodeSelector } from '../pod-spec/affinity.ts';
import { setDiskDefaults } from '../pod-spec/disk-defaults.ts';
import { warnOfOldVolume, warnOfTerm } from '../pod-spec/warnings.ts';
import { storageClassOf, warnOfClassAnnotation } from '../storage/storage-class-of.ts';
import type { Stored } from '../stored.ts';
import { accessModesText, checkAccessModes, checkPositiveQuantity, checkVolumeMode } from './claim-spec.ts';
import { checkVolumeSource, SOURCES } from './persistent-volume-source.ts';

export type PersistentVolume = Stored<IPersistentVolume, 'spec'>;

/** Held by this while a claim has it. */
export const PV_PROTECTION = 'kubernetes.io/pv-protection';

type Volume = DeepReadonly<PersistentVolume>;
type Spec = Volume['spec'];

const RECLAIM_POLICIES = ['Delete', 'Recycle', 'Retain'];

function checkCapacity(errors: Errors, at: FieldPath, capacity: Spec['capacity'] = {}): void {
  const names = Object.keys(capacity);
  if (names.length === 0) errors.push(at.required());
  if (!names.includes('storage') || names.length > 1) errors.push(at.notSupported(capacity, ['storage']));
  for (const name of names) checkPositiveQuantity(errors, at.key('', name), capacity[name]!);
}

function checkNodeAffinity(errors: Errors, at: FieldPath, spec: Spec): void {
  const { nodeAffinity, local } = spec;
  const place = at.child('nodeAffinity');
  if (nodeAffinity?.required) checkNodeSelector(errors, place.child('required'), nodeAffinity.required);
  else if (nodeAffinity) errors.push(place.child('required').required('must specify required node constraints'));
  if (local && !nodeAffinity) errors.push(place.required('Local volume requires node affinity'));
}

function checkAttributesClass(errors: Errors, at: FieldPath, { volumeAttributesClassName: name, csi }: Spec): void {
  if (name === undefined) return;
  if (name === '') errors.push(at.child('volumeAttributesClassName').required('an empty string is disallowed'));
  checkText(errors, at, 'volumeAttributesClassName', name, dns1123Subdomain);
  if (!csi) errors.push(at.child('csi').required('has to be specified when using volumeAttributesClassName'));
}

function check(errors: Errors, at: FieldPath, { spec }: Volume): void {
  const place = at.child('spec');
  const { accessModes = [], persistentVolumeReclaimPolicy: policy, hostPath } = spec;
  if (accessModes.length === 0) errors.push(place.child('accessModes').required());
  checkAccessModes(errors, place, accessModes);
  checkCapacity(errors, place.child('capacity'), spec.capacity);
  checkOptionalOneOf(errors, place, 'persistentVolumeReclaimPolicy', policy, RECLAIM_POLICIES);
  checkNodeAffinity(errors, place, spec);
  checkVolumeSource(errors, place, spec);
  if (hostPath && policy === 'Recycle' && /^\/[/.]*$/.test(hostPath.path)) {
    const detail = "may not be 'recycle' for a hostPath mount of '/'";
    errors.push(place.child('persistentVolumeReclaimPolicy').forbidden(detail));
  }
  checkText(errors, place, 'storageClassName', spec.storageClassName, dns1123Subdomain);
  checkVolumeMode(errors, place, spec.volumeMode);
  checkAttributesClass(errors, place, spec);
}

/** Clients in Go leave out what is false or empty, and mean the same. */
const stated = <T>(value: T): T =>
  JSON.parse(JSON.stringify(value, (_, member) => (member === false || member === '' ? undefined : member))) as T;

/** What the volume is. A secret to expand it with may be added. */
function sourceOf(spec: Spec, old: Spec): Partial<Spec> {
  const source = stated(Object.fromEntries(SOURCES.map((name) => [name, spec[name]])) as Partial<Spec>);
  const gainsSecret = old.csi && !old.csi.controllerExpandSecretRef && spec.csi?.controllerExpandSecretRef;
  if (!gainsSecret) return source;
  return { ...source, csi: { ...source.csi!, controllerExpandSecretRef: undefined } };
}

function checkUpdate(errors: Errors, at: FieldPath, { spec }: Volume, { spec: old }: Volume): void {
  const [source, before] = [sourceOf(spec, old), sourceOf(old, old)];
  if (!sameValue(source, before)) {
    const rule = 'spec.persistentvolumesource is immutable after creation';
    const place = at.child('spec', 'persistentvolumesource');
    errors.push(place.forbidden([rule, ...differences(before, source, 'spec')].join('\n')));
  }
  checkImmutable(errors, at, 'volumeMode', spec.volumeMode, old.volumeMode);
  if (old.nodeAffinity) checkImmutable(errors, at, 'nodeAffinity', spec.nodeAffinity, old.nodeAffinity);
  if (old.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined) {
    const place = at.child('spec', 'volumeAttributesClassName');
    errors.push(place.forbidden('update from non-nil value to nil is forbidden'));
  }
}

const claimOf = ({ claimRef }: Spec): string => (claimRef ? `${claimRef.namespace ?? ''}/${claimRef.name ?? ''}` : '');

/** https://kubernetes.io/docs/concepts/storage/persistent-volumes/ */
export const persistentVolume = defineKind<PersistentVolume>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  shortNames: ['pv'],
  namespaced: false,
  answersRemoved: true,
  columns: [
    nameColumn,
    {
      name: 'Capacity',
      type: 'string',
      description: fieldText('v1.PersistentVolumeSpec.capacity'),
      of: ({ spec }) => parseQuantity(spec.capacity?.storage ?? 0).toString(),
    },
    {
      name: 'Access Modes',
      type: 'string',
      description: fieldText('v1.PersistentVolumeSpec.accessModes'),
      of: ({ spec }) => accessModesText(spec.accessModes),
    },
    {
      name: 'Reclaim Policy',
      type: 'string',
      description: fieldText('v1.PersistentVolumeSpec.persistentVolumeReclaimPolicy'),
      of: ({ spec }) => spec.persistentVolumeReclaimPolicy ?? '',
    },
    {
      name: 'Status',
      type: 'string',
      description: fieldText('v1.PersistentVolumeStatus.phase'),
      of: ({ metadata, status }) => (metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating'),
    },
    {
      name: 'Claim',
      type: 'string',
      description: fieldText('v1.PersistentVolumeSpec.claimRef'),
      of: ({ spec }) => claimOf(spec),
    },
    {
      name: 'StorageClass',
      type: 'string',
      description: 'StorageClass of the pv',
      of: storageClassOf,
    },
    {
      name: 'VolumeAttributesClass',
      type: 'string',
      description: 'VolumeAttributesClass of the pv',
      of: ({ spec }) => spec.volumeAttributesClassName ?? '<unset>',
    },
    {
      name: 'Reason',
      type: 'string',
      description: fieldText('v1.PersistentVolumeStatus.reason'),
      of: ({ status }) => status?.reason ?? '',
    },
    ageColumn,
    {
      name: 'VolumeMode',
      type: 'string',
      priority: 1,
      description: fieldText('v1.PersistentVolumeSpec.volumeMode'),
      of: ({ spec }) => spec.volumeMode ?? '<unset>',
    },
  ],
  check,
  checkUpdate,
  warn(warnings, at, volume) {
    warnOfClassAnnotation(warnings, at, volume);
    const { spec } = volume;
    const place = at.child('spec');
    if (spec.persistentVolumeReclaimPolicy === 'Recycle') {
      const why =
        'The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.';
      warn(warnings, place.child('persistentVolumeReclaimPolicy'), why);
    }
    spec.nodeAffinity?.required?.nodeSelectorTerms?.forEach((term, i) => {
      warnOfTerm(warnings, place.child('nodeAffinity', 'required').index('nodeSelectorTerms', i), term);
    });
    warnOfOldVolume(warnings, place, spec);
  },
  setDefaults(volume) {
    volume.spec ??= {};
    const { spec } = volume;
    spec.persistentVolumeReclaimPolicy ||= 'Retain';
    spec.volumeMode ??= 'Filesystem';
    if (spec.hostPath) spec.hostPath.type ??= '';
    setDiskDefaults(spec);
    volume.status ??= {};
    volume.status.phase ||= 'Pending';
  },
  prepareForCreate(volume) {
    volume.status = { phase: 'Pending', lastPhaseTransitionTime: volume.metadata.creationTimestamp };
  },
});
