/** Where containers see volumes. */
import type { DeepReadonly, FieldPath } from '@periplus/apimachinery';
import type { IVolumeDevice } from 'kubernetes-models/v1/VolumeDevice';
import type { IVolumeMount } from 'kubernetes-models/v1/VolumeMount';
import { checkOptionalOneOf, checkRequired, type Errors } from '../field-rules.ts';
import { checkLocalPath, checkNoBacksteps, type Volume } from './volumes.ts';

const PROPAGATIONS = ['Bidirectional', 'HostToContainer', 'None'];
const RECURSIVE_READ_ONLY = ['Disabled', 'Enabled', 'IfPossible'];

interface Mounts {
  volumeMounts?: readonly DeepReadonly<IVolumeMount>[];
  volumeDevices?: readonly DeepReadonly<IVolumeDevice>[];
  securityContext?: { readonly privileged?: boolean };
}

/** Kubernetes reports these for the list of mounts as a whole. */
function checkMountOptions(
  errors: Errors,
  at: FieldPath,
  mount: DeepReadonly<IVolumeMount>,
  privileged: boolean,
): void {
  const { subPath, subPathExpr, mountPropagation, recursiveReadOnly, readOnly } = mount;
  if (subPath) checkLocalPath(errors, at.child('subPath'), subPath);
  if (subPathExpr) {
    if (subPath) {
      const detail = 'subPathExpr and subPath are mutually exclusive';
      errors.push(at.child('subPathExpr').invalid(subPathExpr, detail));
    }
    checkLocalPath(errors, at.child('subPathExpr'), subPathExpr);
  }
  checkOptionalOneOf(errors, at, 'mountPropagation', mountPropagation, PROPAGATIONS);
  if (mountPropagation === 'Bidirectional' && !privileged) {
    const detail = 'Bidirectional mount propagation is available only to privileged containers';
    errors.push(at.child('mountPropagation').forbidden(detail));
  }
  if (recursiveReadOnly === undefined) return;
  const place = at.child('recursiveReadOnly');
  checkOptionalOneOf(errors, at, 'recursiveReadOnly', recursiveReadOnly, RECURSIVE_READ_ONLY);
  if (recursiveReadOnly === 'Disabled') return;
  if (!readOnly) errors.push(place.forbidden('may only be specified when readOnly is true'));
  if (mountPropagation && mountPropagation !== 'None') {
    errors.push(place.forbidden('may only be specified when mountPropagation is None or not specified'));
  }
}

export function checkVolumeMounts(
  errors: Errors,
  at: FieldPath,
  { volumeMounts = [], volumeDevices = [], securityContext }: Mounts,
  volumes: ReadonlyMap<string, Volume>,
): void {
  const paths = new Set<string>();
  for (let i = 0; i < volumeMounts.length; i++) {
    const mount = volumeMounts[i]!;
    const { name, mountPath } = mount;
    const place = at.index('volumeMounts', i);
    if (!name) errors.push(place.child('name').required());
    const volume = volumes.get(name);
    if (!volume) errors.push(place.child('name').notFound(name));
    if (!mountPath) errors.push(place.child('mountPath').required());
    if (paths.has(mountPath)) errors.push(place.child('mountPath').invalid(mountPath, 'must be unique'));
    paths.add(mountPath);
    if (volumeDevices.some((device) => device.name === name)) {
      errors.push(place.child('name').invalid(name, 'must not already exist in volumeDevices'));
    }
    if (volumeDevices.some((device) => device.devicePath === mountPath)) {
      errors.push(place.child('mountPath').invalid(mountPath, 'must not already exist as a path in volumeDevices'));
    }
    checkMountOptions(errors, at.child('volumeMounts'), mount, securityContext?.privileged === true);
  }
}

export function checkVolumeDevices(
  errors: Errors,
  at: FieldPath,
  { volumeMounts = [], volumeDevices = [] }: Mounts,
  volumes: ReadonlyMap<string, Volume>,
): void {
  const names = new Set<string>();
  const paths = new Set<string>();
  for (let i = 0; i < volumeDevices.length; i++) {
    const { name, devicePath } = volumeDevices[i]!;
    const place = at.index('volumeDevices', i);
    const volume = volumes.get(name);
    checkRequired(errors, place, 'name', name);
    if (!volume) errors.push(place.child('name').notFound(name));
    else if (!volume.persistentVolumeClaim && !volume.ephemeral) {
      const detail = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode';
      errors.push(place.child('name').invalid(name, detail));
    }
    checkRequired(errors, place, 'devicePath', devicePath);
    checkNoBacksteps(errors, place.child('devicePath'), devicePath);
    if (names.has(name)) errors.push(place.child('name').invalid(name, 'must be unique'));
    if (paths.has(devicePath)) errors.push(place.child('devicePath').invalid(devicePath, 'must be unique'));
    if (volumeMounts.some((mount) => mount.name === name)) {
      errors.push(place.child('name').invalid(name, 'must not already exist in volumeMounts'));
    }
    names.add(name);
    paths.add(devicePath);
  }
}
