/** Volumes and their sources. https://kubernetes.io/docs/concepts/storage/volumes/ */
import {
  type DeepReadonly,
  dns1123Label,
  dns1123Subdomain,
  type FieldPath,
  parseQuantity,
  validateAnnotations,
  validateLabels,
} from '@periplus/apimachinery';
import type { IDownwardAPIVolumeFile } from 'kubernetes-models/v1/DownwardAPIVolumeFile';
import type { IKeyToPath } from 'kubernetes-models/v1/KeyToPath';
import type { IVolume } from 'kubernetes-models/v1/Volume';
import type { IVolumeProjection } from 'kubernetes-models/v1/VolumeProjection';
import { checkClaimSpec } from '../core/claim-spec.ts';
import { checkOptionalOneOf, checkRequired, checkText, type Errors } from '../field-rules.ts';
import { checkFieldRef, checkResourceFieldRef } from './env.ts';

export type Volume = DeepReadonly<IVolume>;

/** Every member of a volume but its name is a source, and there must be exactly one. */
type Source = Exclude<keyof IVolume, 'name'>;

export const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];
const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];
const DOWNWARD_FIELDS = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];
const TOKEN_SECONDS_MIN = 10 * 60;
const TOKEN_SECONDS_MAX = 2 ** 32;

function checkMode(errors: Errors, at: FieldPath, field: string, mode: number | undefined): void {
  if (mode !== undefined && (mode < 0 || mode > 0o777)) {
    errors.push(at.child(field).invalid(mode, 'must be a number between 0 and 0777 (octal), both inclusive'));
  }
}

export function checkNoBacksteps(errors: Errors, at: FieldPath, path: string): void {
  if (path.split('/').includes('..')) errors.push(at.invalid(path, "must not contain '..'"));
}

/** A path that stays below where it starts. */
export function checkLocalPath(errors: Errors, at: FieldPath, path: string): void {
  if (path.startsWith('/')) errors.push(at.invalid(path, 'must be a relative path'));
  checkNoBacksteps(errors, at, path);
}

/** Names that begin with two dots are the kubelet's own, to swap the content of a volume at once. */
function checkFilePath(errors: Errors, at: FieldPath, field: string, path: string): void {
  checkRequired(errors, at, field, path);
  checkLocalPath(errors, at.child(field), path);
  if (path.startsWith('..') && !path.startsWith('../')) {
    errors.push(at.child(field).invalid(path, "must not start with '..'"));
  }
}

function checkItems(errors: Errors, at: FieldPath, items: readonly DeepReadonly<IKeyToPath>[] | undefined): void {
  items?.forEach(({ key, path, mode }, i) => {
    const place = at.index('items', i);
    checkRequired(errors, place, 'key', key);
    checkFilePath(errors, place, 'path', path);
    checkMode(errors, place, 'mode', mode);
  });
}

function checkDownwardFile(errors: Errors, at: FieldPath, file: DeepReadonly<IDownwardAPIVolumeFile>): void {
  checkFilePath(errors, at, 'path', file.path);
  if (file.fieldRef) {
    checkFieldRef(errors, at.child('fieldRef'), file.fieldRef, DOWNWARD_FIELDS);
    if (file.resourceFieldRef) {
      errors.push(at.invalid('resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'));
    }
  } else if (file.resourceFieldRef) {
    checkResourceFieldRef(errors, at.child('resourceFieldRef'), file.resourceFieldRef, true);
  } else errors.push(at.required('one of fieldRef and resourceFieldRef is required'));
  checkMode(errors, at, 'mode', file.mode);
}

function checkTokenProjection(
  errors: Errors,
  at: FieldPath,
  { expirationSeconds = 0, path }: { expirationSeconds?: number; path: string },
): void {
  if (expirationSeconds < TOKEN_SECONDS_MIN) {
    const detail = 'may not specify a duration less than 10 minutes';
    errors.push(at.child('expirationSeconds').invalid(expirationSeconds, detail));
  }
  if (expirationSeconds > TOKEN_SECONDS_MAX) {
    const detail = 'may not specify a duration larger than 2^32 seconds';
    errors.push(at.child('expirationSeconds').invalid(expirationSeconds, detail));
  }
  checkFilePath(errors, at, 'path', path);
}

/** The files that a projection makes, to find two that make the same one. */
const pathsOf = ({ secret, configMap, downwardAPI, serviceAccountToken }: DeepReadonly<IVolumeProjection>): string[] =>
  [
    ...(secret?.items ?? []).map((item) => item.path),
    ...(configMap?.items ?? []).map((item) => item.path),
    ...(downwardAPI?.items ?? []).map((item) => item.path),
    serviceAccountToken?.path ?? '',
  ].filter(Boolean);

function checkProjection(errors: Errors, at: FieldPath, source: DeepReadonly<IVolumeProjection>): void {
  const { secret, configMap, downwardAPI, serviceAccountToken } = source;
  for (const [name, from] of [['secret', secret] as const, ['configMap', configMap] as const]) {
    if (!from) continue;
    checkRequired(errors, at.child(name), 'name', from.name);
    checkItems(errors, at.child(name), from.items);
  }
  for (const file of downwardAPI?.items ?? []) checkDownwardFile(errors, at.child('downwardAPI'), file);
  if (serviceAccountToken) checkTokenProjection(errors, at.child('serviceAccountToken'), serviceAccountToken);
  const count = Object.keys(source).length;
  if (count > 1) errors.push(at.forbidden('may not specify more than 1 volume type'));
  if (count === 0) errors.push(at.required('one of secret, configMap, downwardAPI, serviceAccountToken is required'));
}

type SourceChecks = { [S in Source]?: (errors: Errors, at: FieldPath, source: NonNullable<Volume[S]>) => void };

/** Sources without a check here have nothing but their structure to check. */
const sourceChecks: SourceChecks = {
  emptyDir(errors, at, { sizeLimit }) {
    if (sizeLimit !== undefined && parseQuantity(sizeLimit).value() < 0) {
      errors.push(at.child('sizeLimit').forbidden('SizeLimit field must be a valid resource quantity'));
    }
  },
  hostPath(errors, at, { path, type }) {
    checkRequired(errors, at, 'path', path);
    checkNoBacksteps(errors, at.child('path'), path);
    checkOptionalOneOf(errors, at, 'type', type, HOST_PATH_TYPES);
  },
  secret(errors, at, { secretName, defaultMode, items }) {
    checkRequired(errors, at, 'secretName', secretName);
    checkMode(errors, at, 'defaultMode', defaultMode);
    checkItems(errors, at, items);
  },
  configMap(errors, at, { name, defaultMode, items }) {
    checkRequired(errors, at, 'name', name);
    checkMode(errors, at, 'defaultMode', defaultMode);
    checkItems(errors, at, items);
  },
  downwardAPI(errors, at, { defaultMode, items }) {
    checkMode(errors, at, 'defaultMode', defaultMode);
    for (const file of items ?? []) checkDownwardFile(errors, at, file);
  },
  projected(errors, at, { defaultMode, sources }) {
    checkMode(errors, at, 'defaultMode', defaultMode);
    const paths = new Set<string>();
    sources?.forEach((source, i) => {
      checkProjection(errors, at.index('sources', i), source);
      for (const path of pathsOf(source)) {
        if (paths.has(path)) errors.push(at.invalid(path, 'conflicting duplicate paths'));
        paths.add(path);
      }
    });
  },
  persistentVolumeClaim: (errors, at, { claimName }) => checkRequired(errors, at, 'claimName', claimName),
  nfs(errors, at, { server, path }) {
    checkRequired(errors, at, 'server', server);
    checkRequired(errors, at, 'path', path);
    if (!path?.startsWith('/')) errors.push(at.child('path').invalid(path ?? '', 'must be an absolute path'));
  },
  csi(errors, at, { driver, nodePublishSecretRef }) {
    checkRequired(errors, at, 'driver', driver);
    checkText(errors, at, 'driver', driver?.toLowerCase(), dns1123Subdomain);
    if (nodePublishSecretRef)
      checkRequired(errors, at.child('nodePublishSecretRef'), 'name', nodePublishSecretRef.name);
  },
  ephemeral(errors, at, { volumeClaimTemplate: template }) {
    checkRequired(errors, at, 'volumeClaimTemplate', template);
    if (!template) return;
    const place = at.child('volumeClaimTemplate');
    const { labels, annotations } = template.metadata ?? {};
    errors.push(...validateAnnotations(annotations, place.child('metadata', 'annotations')));
    errors.push(...validateLabels(labels, place.child('metadata', 'labels')));
    checkClaimSpec(errors, place.child('spec'), template.spec ?? {});
  },
  image(errors, at, { reference, pullPolicy }) {
    checkRequired(errors, at, 'reference', reference);
    checkOptionalOneOf(errors, at, 'pullPolicy', pullPolicy, PULL_POLICIES);
  },
};

function checkSource<S extends Source>(errors: Errors, at: FieldPath, volume: Volume, name: S): void {
  const source = volume[name];
  if (source) sourceChecks[name]?.(errors, at.child(name), source as NonNullable<Volume[S]>);
}

/** Returns the volumes that are fine, by name: mounts of the others are not found. */
export function checkVolumes(
  errors: Errors,
  at: FieldPath,
  volumes: readonly Volume[] | undefined,
): ReadonlyMap<string, Volume> {
  const fine = new Map<string, Volume>();
  for (let i = 0; i < (volumes?.length ?? 0); i++) {
    const volume = volumes![i]!;
    const place = at.index('volumes', i);
    const before = errors.length;
    let first: Source | undefined;
    for (const name in volume) {
      if (name === 'name') continue;
      if (first) errors.push(place.child(name).forbidden('may not specify more than 1 volume type'));
      else first = name as Source;
    }
    if (first) checkSource(errors, place, volume, first);
    else errors.push(place.required('must specify a volume type'));
    checkRequired(errors, place, 'name', volume.name);
    checkText(errors, place, 'name', volume.name, dns1123Label);
    if (fine.has(volume.name)) errors.push(place.child('name').duplicate(volume.name));
    if (errors.length === before) fine.set(volume.name, volume);
  }
  return fine;
}
