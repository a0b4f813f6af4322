/** Environment variables and where their values come from. https://kubernetes.io/docs/tasks/inject-data-application/ */
import {
  configMapKey,
  type DeepReadonly,
  dns1123Subdomain,
  envVarName,
  type FieldPath,
  parseQuantity,
  qualifiedName,
} from '@periplus/apimachinery';
import type { IEnvFromSource } from 'kubernetes-models/v1/EnvFromSource';
import type { IEnvVar } from 'kubernetes-models/v1/EnvVar';
import type { IEnvVarSource } from 'kubernetes-models/v1/EnvVarSource';
import type { IObjectFieldSelector } from 'kubernetes-models/v1/ObjectFieldSelector';
import type { IResourceFieldSelector } from 'kubernetes-models/v1/ResourceFieldSelector';
import { checkRequired, checkRequiredText, checkText, type Errors } from '../field-rules.ts';

const ENV_FIELDS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
const RESOURCE_FIELDS = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];
/** Fields that the downward API knows at all, wherever they may be used. */
const KNOWN_FIELDS = new Set([
  ...ENV_FIELDS,
  'metadata.annotations',
  'metadata.labels',
  'spec.restartPolicy',
  'status.phase',
]);
const BYTE_DIVISORS = '1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei';
const BYTE_DIVISOR_SET = new Set(BYTE_DIVISORS.split(', '));
const SUBSCRIPT = /^([^[\]]+)\['([^']*)'\]$/;

/** A field of the pod, `metadata.labels['app']` included; `fields` are those allowed here. */
export function checkFieldRef(
  errors: Errors,
  at: FieldPath,
  ref: DeepReadonly<IObjectFieldSelector>,
  fields: readonly string[] = ENV_FIELDS,
): void {
  const { apiVersion, fieldPath } = ref;
  if (!apiVersion) errors.push(at.child('apiVersion').required());
  else if (!fieldPath) errors.push(at.child('fieldPath').required());
  else if (apiVersion !== 'v1') {
    const detail = `error converting fieldPath: unsupported pod version: ${apiVersion}`;
    errors.push(at.child('fieldPath').invalid(fieldPath, detail));
  } else {
    const [, path, key = ''] = SUBSCRIPT.exec(fieldPath) ?? [];
    if (path === 'metadata.annotations') checkKey(errors, at, key.toLowerCase());
    else if (path === 'metadata.labels') checkKey(errors, at, key);
    else if (path) errors.push(at.invalid(path, 'does not support subscript'));
    else if (!KNOWN_FIELDS.has(fieldPath)) {
      const detail = `error converting fieldPath: field label not supported: ${fieldPath}`;
      errors.push(at.child('fieldPath').invalid(fieldPath, detail));
    } else if (!fields.includes(fieldPath)) errors.push(at.child('fieldPath').notSupported(fieldPath, fields));
  }
}

function checkKey(errors: Errors, at: FieldPath, key: string): void {
  for (const problem of qualifiedName(key)) errors.push(at.invalid(key, problem));
}

/** A resource of a container; in a volume the container must be named. */
export function checkResourceFieldRef(
  errors: Errors,
  at: FieldPath,
  ref: DeepReadonly<IResourceFieldSelector>,
  inVolume = false,
): void {
  const { resource, containerName, divisor } = ref;
  const hugePages = /^(requests|limits)\.hugepages-/.test(resource ?? '');
  if (inVolume && !containerName) errors.push(at.child('containerName').required());
  else if (!resource) errors.push(at.child('resource').required());
  else if (!hugePages && !RESOURCE_FIELDS.includes(resource)) {
    errors.push(at.child('resource').notSupported(resource, RESOURCE_FIELDS));
  }
  if (divisor === undefined || parseQuantity(divisor).isZero) return;
  const text = parseQuantity(divisor).toString();
  if (resource?.endsWith('.cpu')) {
    if (text !== '1m' && text !== '1') {
      errors.push(
        at.child('divisor').invalid(resource, "only divisor's values 1m and 1 are supported with the cpu resource"),
      );
    }
    return;
  }
  const what = hugePages ? 'hugepages' : resource?.endsWith('.memory') ? 'memory' : 'local ephemeral storage';
  if (!BYTE_DIVISOR_SET.has(text)) {
    const detail = `only divisor's values ${BYTE_DIVISORS} are supported with the ${what} resource`;
    errors.push(at.child('divisor').invalid(resource, detail));
  }
}

function checkKeyRef(errors: Errors, at: FieldPath, { name, key }: { name?: string; key: string }): void {
  for (const problem of dns1123Subdomain(name ?? '')) errors.push(at.child('name').invalid(name ?? '', problem));
  checkRequiredText(errors, at, 'key', key, configMapKey);
}

function checkValueFrom(errors: Errors, at: FieldPath, source: DeepReadonly<IEnvVarSource>, value?: string): void {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source;
  if (fieldRef) checkFieldRef(errors, at.child('fieldRef'), fieldRef);
  if (resourceFieldRef) checkResourceFieldRef(errors, at.child('resourceFieldRef'), resourceFieldRef);
  if (configMapKeyRef) checkKeyRef(errors, at.child('configMapKeyRef'), configMapKeyRef);
  if (secretKeyRef) checkKeyRef(errors, at.child('secretKeyRef'), secretKeyRef);
  if (fileKeyRef) {
    for (const field of ['volumeName', 'path', 'key'] as const) {
      checkRequired(errors, at.child('fileKeyRef'), field, fileKeyRef[field]);
    }
  }
  const count = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(Boolean).length;
  if (count === 0) {
    const detail =
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
    errors.push(at.invalid('', detail));
  } else if (value) errors.push(at.invalid('', 'may not be specified when `value` is not empty'));
  else if (count > 1) errors.push(at.invalid('', 'may not have more than one field specified at a time'));
}

export function checkEnv(errors: Errors, at: FieldPath, variables: readonly DeepReadonly<IEnvVar>[] = []): void {
  for (let i = 0; i < variables.length; i++) {
    const { name, value, valueFrom } = variables[i]!;
    if (!name) errors.push(at.index('env', i).child('name').required());
    else for (const problem of envVarName(name)) errors.push(at.index('env', i).child('name').invalid(name, problem));
    if (valueFrom) checkValueFrom(errors, at.index('env', i).child('valueFrom'), valueFrom, value);
  }
}

export function checkEnvFrom(
  errors: Errors,
  at: FieldPath,
  sources: readonly DeepReadonly<IEnvFromSource>[] = [],
): void {
  for (let i = 0; i < sources.length; i++) {
    const { prefix, configMapRef, secretRef } = sources[i]!;
    const place = at.index('envFrom', i);
    checkText(errors, place, 'prefix', prefix, envVarName);
    if (configMapRef)
      checkRequiredText(errors, place.child('configMapRef'), 'name', configMapRef.name, dns1123Subdomain);
    if (secretRef) checkRequiredText(errors, place.child('secretRef'), 'name', secretRef.name, dns1123Subdomain);
    if (!configMapRef && !secretRef) {
      errors.push(at.child('envFrom').invalid('', 'must specify one of: `configMapRef` or `secretRef`'));
    } else if (configMapRef && secretRef) {
      errors.push(at.child('envFrom').invalid('', 'may not have more than one field specified at a time'));
    }
  }
}
