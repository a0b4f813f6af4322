/** What a PersistentVolumeClaim asks for, also as the template of one: in a StatefulSet, and in a pod's volume. */
import {
  type DeepReadonly,
  dns1123Label,
  dns1123Subdomain,
  type FieldPath,
  parseQuantity,
  validateLabelSelector,
} from '@periplus/apimachinery';
import type { IPersistentVolumeClaimSpec } from 'kubernetes-models/v1/PersistentVolumeClaimSpec';
import { checkOptionalOneOf, checkRequired, checkText, type Errors } from '../field-rules.ts';

type ClaimSpec = DeepReadonly<IPersistentVolumeClaimSpec>;
type DataSource = NonNullable<ClaimSpec['dataSourceRef']>;

const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
const SHORT_MODES = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
] as const;
const EXCLUSIVE_MODE = 'ReadWriteOncePod';
const VOLUME_MODES = ['Block', 'Filesystem'];

/** As kubectl shows them: `RWO,ROX`. */
export const accessModesText = (modes: readonly string[] = []): string =>
  SHORT_MODES.flatMap(([mode, short]) => (modes.includes(mode) ? short : [])).join(',');

export function checkAccessModes(errors: Errors, at: FieldPath, modes: readonly string[]): void {
  const place = at.child('accessModes');
  for (const mode of modes) if (!ACCESS_MODES.includes(mode)) errors.push(place.notSupported(mode, ACCESS_MODES));
  const known = modes.filter((mode) => ACCESS_MODES.includes(mode));
  if (known.includes(EXCLUSIVE_MODE) && known.some((mode) => mode !== EXCLUSIVE_MODE)) {
    errors.push(place.forbidden(`may not use ${EXCLUSIVE_MODE} with other access modes`));
  }
}

export const checkVolumeMode = (errors: Errors, at: FieldPath, mode: string | undefined): void =>
  checkOptionalOneOf(errors, at, 'volumeMode', mode, VOLUME_MODES);

export function checkPositiveQuantity(errors: Errors, at: FieldPath, quantity: string | number): void {
  const amount = parseQuantity(quantity);
  if (amount.value() <= 0) errors.push(at.invalid(amount.toString(), 'must be greater than zero'));
}

function checkDataSource(errors: Errors, at: FieldPath, source: DataSource): void {
  checkRequired(errors, at, 'name', source.name);
  checkRequired(errors, at, 'kind', source.kind);
  if (!source.apiGroup && source.kind !== 'PersistentVolumeClaim') {
    const detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
    errors.push(at.invalid(source.kind, detail));
  }
  checkText(errors, at, 'apiGroup', source.apiGroup, dns1123Subdomain);
  checkText(errors, at, 'namespace', source.namespace, dns1123Label);
}

/** Both name what the volume is filled from. Kubernetes names the field in place of a value here. */
function checkDataSources(errors: Errors, at: FieldPath, { dataSource, dataSourceRef }: ClaimSpec): void {
  if (dataSource) checkDataSource(errors, at.child('dataSource'), dataSource);
  if (dataSourceRef) checkDataSource(errors, at.child('dataSourceRef'), dataSourceRef);
  if (!dataSource || !dataSourceRef) return;
  const shown = at.child('dataSource').text;
  if (dataSourceRef.namespace) {
    errors.push(at.invalid(shown, 'may not be specified when dataSourceRef.namespace is specified'));
    return;
  }
  const differs = (['apiGroup', 'kind', 'name'] as const).some((field) => dataSource[field] !== dataSourceRef[field]);
  if (differs) errors.push(at.invalid(shown, 'must match dataSourceRef'));
}

export function checkClaimSpec(errors: Errors, at: FieldPath, spec: ClaimSpec): void {
  const { accessModes = [], selector, resources, storageClassName, volumeAttributesClassName } = spec;
  if (accessModes.length === 0) errors.push(at.child('accessModes').required('at least 1 access mode is required'));
  if (selector) errors.push(...validateLabelSelector(selector, at.child('selector')));
  checkAccessModes(errors, at, accessModes);
  const storage = resources?.requests?.storage;
  const storagePath = at.key('resources', 'storage');
  if (storage === undefined) errors.push(storagePath.required());
  else checkPositiveQuantity(errors, storagePath, storage);
  checkText(errors, at, 'storageClassName', storageClassName, dns1123Subdomain);
  checkVolumeMode(errors, at, spec.volumeMode);
  checkDataSources(errors, at, spec);
  checkText(errors, at, 'volumeAttributesClassName', volumeAttributesClassName, dns1123Subdomain);
}

/** What Go leaves out when it is empty is left out here, too: else it would look changed when a client sends it back. */
export function setClaimSpecDefaults(spec: IPersistentVolumeClaimSpec): void {
  spec.resources ??= {};
  spec.volumeMode ??= 'Filesystem';
  if (spec.volumeName === '') delete spec.volumeName;
}

/** One of the two names of the source is enough, unless it lies in another namespace. https://kep.k8s.io/1495 */
export function linkDataSources(spec: IPersistentVolumeClaimSpec): void {
  const { dataSource, dataSourceRef } = spec;
  if (dataSourceRef?.namespace) return;
  if (dataSource && !dataSourceRef) spec.dataSourceRef = { ...dataSource };
  else if (dataSourceRef && !dataSource) spec.dataSource = { ...dataSourceRef };
}
