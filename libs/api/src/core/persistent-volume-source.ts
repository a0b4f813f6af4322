/** What lies behind a PersistentVolume. Most kinds of it are served by CSI drivers today and need little checking. */
import { type DeepReadonly, dns1123Label, dns1123Subdomain, type FieldPath, inRange } from '@periplus/apimachinery';
import type { IPersistentVolumeSpec } from 'kubernetes-models/v1/PersistentVolumeSpec';
import { checkOptionalOneOf, checkRequired, checkRequiredText, type Errors } from '../field-rules.ts';
import { checkNoBacksteps, HOST_PATH_TYPES } from '../pod-spec/volumes.ts';

type Spec = DeepReadonly<IPersistentVolumeSpec>;
type SecretRef = NonNullable<NonNullable<Spec['csi']>['nodePublishSecretRef']>;

/** What each kind cannot do without. */
const REQUIRED = {
  awsElasticBlockStore: ['volumeID'],
  azureDisk: ['diskName', 'diskURI'],
  azureFile: ['secretName', 'shareName'],
  cephfs: ['monitors'],
  cinder: ['volumeID'],
  csi: ['driver', 'volumeHandle'],
  fc: [],
  flexVolume: ['driver'],
  flocker: [],
  gcePersistentDisk: ['pdName'],
  glusterfs: ['endpoints', 'path'],
  hostPath: ['path'],
  iscsi: ['targetPortal', 'iqn'],
  local: ['path'],
  nfs: ['server', 'path'],
  photonPersistentDisk: ['pdID'],
  portworxVolume: ['volumeID'],
  quobyte: ['registry', 'volume'],
  rbd: ['monitors', 'image'],
  scaleIO: ['gateway', 'system', 'volumeName'],
  storageos: ['volumeName'],
  vsphereVolume: ['volumePath'],
} as const satisfies { [S in keyof IPersistentVolumeSpec]?: readonly string[] };

type SourceName = keyof typeof REQUIRED;

export const SOURCES = Object.keys(REQUIRED) as readonly SourceName[];

const DRIVER_LENGTH_MAX = 63;
const CSI_SECRETS = [
  'controllerPublishSecretRef',
  'controllerExpandSecretRef',
  'nodePublishSecretRef',
  'nodeExpandSecretRef',
] as const;

function checkSecretRef(errors: Errors, at: FieldPath, ref: SecretRef): void {
  checkRequiredText(errors, at, 'name', ref.name, dns1123Subdomain);
  checkRequiredText(errors, at, 'namespace', ref.namespace, dns1123Label);
}

function checkParticular(errors: Errors, at: FieldPath, { hostPath, local, nfs, csi, iscsi }: Spec): void {
  if (hostPath) {
    checkNoBacksteps(errors, at.child('hostPath', 'path'), hostPath.path);
    checkOptionalOneOf(errors, at.child('hostPath'), 'type', hostPath.type, HOST_PATH_TYPES);
  }
  if (local?.path) checkNoBacksteps(errors, at.child('local', 'path'), local.path);
  if (nfs && !nfs.path.startsWith('/')) {
    errors.push(at.child('nfs', 'path').invalid(nfs.path, 'must be an absolute path'));
  }
  if (csi) {
    const place = at.child('csi');
    if (csi.driver.length > DRIVER_LENGTH_MAX) errors.push(place.child('driver').tooLong(DRIVER_LENGTH_MAX));
    for (const problem of csi.driver ? dns1123Subdomain(csi.driver.toLowerCase()) : []) {
      errors.push(place.child('driver').invalid(csi.driver, problem));
    }
    for (const name of CSI_SECRETS) if (csi[name]) checkSecretRef(errors, place.child(name), csi[name]);
  }
  if (iscsi) {
    for (const problem of inRange(iscsi.lun, 0, 255)) errors.push(at.child('iscsi', 'lun').invalid(iscsi.lun, problem));
  }
}

/** There is exactly one. */
export function checkVolumeSource(errors: Errors, at: FieldPath, spec: Spec): void {
  const [first, ...others] = SOURCES.filter((name) => spec[name]);
  if (!first) {
    errors.push(at.required('must specify a volume type'));
    return;
  }
  const source = spec[first] as Record<string, unknown>;
  for (const field of REQUIRED[first]) {
    const value = source[field];
    checkRequired(errors, at.child(first), field, Array.isArray(value) && value.length === 0 ? '' : value);
  }
  checkParticular(errors, at, spec);
  for (const name of others) errors.push(at.child(name).forbidden('may not specify more than 1 volume type'));
}
