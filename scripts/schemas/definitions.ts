/**
 * Writes the declarations as OpenAPI v3 schemas, one line each: id, component's name and JSON, tabs between. All of
 * it stands compressed in a module of its own, which only he loads who is asked for OpenAPI.
 */
import { createHash } from 'node:crypto';
import { brotliCompressSync } from 'node:zlib';
import type { Declared, Definition } from './declarations.ts';
import { type ListMarker, type Markers, markers } from './markers.ts';
import { isServed } from './module.ts';

type Json = Record<string, unknown>;

/** Types of apimachinery that the declarations show as what they look like in TypeScript. */
const NAMED: Readonly<Record<string, Json>> = {
  'api/resource.Quantity': { oneOf: [{ type: 'string' }, { type: 'number' }] },
  'util/intstr.IntOrString': { oneOf: [{ type: 'integer' }, { type: 'string' }], format: 'int-or-string' },
  'meta/v1.Time': { type: 'string', format: 'date-time' },
  'meta/v1.MicroTime': { type: 'string', format: 'date-time' },
};
const NAMED_BY: Readonly<Record<string, string>> = {
  quantity: 'api/resource.Quantity',
  intOrString: 'util/intstr.IntOrString',
  time: 'meta/v1.Time',
  microTime: 'meta/v1.MicroTime',
};

/** Defaults that the Go types state (+default). */
const DEFAULTS: Readonly<Record<string, unknown>> = {
  'v1.AzureDiskVolumeSource.cachingMode': 'ReadWrite',
  'v1.AzureDiskVolumeSource.fsType': 'ext4',
  'v1.AzureDiskVolumeSource.kind': 'Shared',
  'v1.AzureDiskVolumeSource.readOnly': false,
  'v1.ContainerPort.protocol': 'TCP',
  'v1.GRPCAction.service': '',
  'v1.ISCSIPersistentVolumeSource.iscsiInterface': 'default',
  'v1.ISCSIVolumeSource.iscsiInterface': 'default',
  'v1.RBDPersistentVolumeSource.keyring': '/etc/ceph/keyring',
  'v1.RBDPersistentVolumeSource.pool': 'rbd',
  'v1.RBDPersistentVolumeSource.user': 'admin',
  'v1.RBDVolumeSource.keyring': '/etc/ceph/keyring',
  'v1.RBDVolumeSource.pool': 'rbd',
  'v1.RBDVolumeSource.user': 'admin',
  'v1.ScaleIOPersistentVolumeSource.fsType': 'xfs',
  'v1.ScaleIOPersistentVolumeSource.storageMode': 'ThinProvisioned',
  'v1.ScaleIOVolumeSource.fsType': 'xfs',
  'v1.ScaleIOVolumeSource.storageMode': 'ThinProvisioned',
  'v1.ServicePort.protocol': 'TCP',
};
const ZERO: Readonly<Record<string, unknown>> = { string: '', integer: 0, number: 0, boolean: false };

const splitId = (id: string): { path: string; name: string } => {
  const dot = id.lastIndexOf('.');
  return { path: id.slice(0, dot), name: id.slice(dot + 1) };
};

/** `apps/v1.Deployment` is `io.k8s.api.apps.v1.Deployment`: the path of the Go package, its host backwards. */
function componentName(id: string): string {
  const { path, name } = splitId(id);
  if (path === 'meta/v1') return `io.k8s.apimachinery.pkg.apis.meta.v1.${name}`;
  if (/^(api\/|util\/|runtime$|version$)/.test(path)) {
    return `io.k8s.apimachinery.pkg.${path.replaceAll('/', '.')}.${name}`;
  }
  const [group, version] = path.includes('/') ? path.split('/', 2) : ['core', path];
  const first = group!.split('.', 1)[0];
  if (first === 'apiextensions') return `io.k8s.apiextensions-apiserver.pkg.apis.${first}.${version}.${name}`;
  if (first === 'apiregistration') return `io.k8s.kube-aggregator.pkg.apis.${first}.${version}.${name}`;
  if (first === 'metrics') return `io.k8s.metrics.pkg.apis.${first}.${version}.${name}`;
  return `io.k8s.api.${first}.${version}.${name}`;
}

const reference = (id: string): Json => ({ $ref: `#/components/schemas/${componentName(id)}` });

/** Keywords beside a reference are ignored by OpenAPI 3.0, so it stands in a list of one. */
const described = (schema: Json, more: Json): Json => {
  if (Object.keys(more).length === 0) return schema;
  return '$ref' in schema ? { ...more, allOf: [schema] } : { ...more, ...schema };
};

function schemaOf(type: Declared): Json {
  switch (type.is) {
    case 'ref':
      return reference(type.name);
    case 'map':
      return { type: 'object', additionalProperties: item(type.values) };
    case 'array':
      return { type: 'array', items: item(type.items) };
    case 'string':
      return { type: 'string', ...(type.format && { format: type.format }), ...(type.enum && { enum: type.enum }) };
    case 'integer':
      return { type: 'integer', ...(type.format && { format: type.format }) };
    case 'number':
      return { type: 'number', format: 'double' };
    case 'boolean':
      return { type: 'boolean' };
    case 'any':
      return { type: 'object' };
    case 'object':
      return { type: 'object', properties: Object.fromEntries(members(type)) };
    default:
      return reference(NAMED_BY[type.is]!);
  }
}

/** Items and values are no pointers in Go: they are never absent, but zero. */
function item(type: Declared): Json {
  const schema = schemaOf(type);
  if (type.is === 'ref') return described(schema, { default: {} });
  return type.is in ZERO ? described(schema, { default: ZERO[type.is] }) : schema;
}

const members = (type: Declared & { is: 'object' }): [string, Json][] =>
  Object.entries(type.properties).map(([name, value]) => [
    name,
    described(schemaOf(value), type.descriptions[name] ? { description: type.descriptions[name] } : {}),
  ]);

/** What apply and strategic merge patch need to know about a list. */
function mergeRules(items: Declared, mark: ListMarker | undefined): Json {
  if (!mark) return { 'x-kubernetes-list-type': 'atomic' };
  const words = mark.split(' ');
  const only = /^(apply|patch)$/.test(words[0]!) ? words.shift() : undefined;
  const [list, ...keys] = words.map((word) => word.split('=', 1)[0]);
  const retains = items.is === 'ref' && markers[items.name]?.[''] === 'retainKeys';
  return {
    'x-kubernetes-list-type': only === 'patch' ? 'atomic' : list,
    ...(only !== 'patch' && keys.length > 0 && { 'x-kubernetes-list-map-keys': keys }),
    ...(only !== 'apply' && {
      'x-kubernetes-patch-strategy': retains ? 'merge,retainKeys' : 'merge',
      ...(keys.length > 0 && { 'x-kubernetes-patch-merge-key': keys[0] }),
    }),
  };
}

/**
 * The whole of one definition. What `apiVersion` and `kind` are is written once, in `typeMeta`: kinds inherit them.
 */
function component({ id, type, description }: Definition, typeMeta: Json): Json {
  const about = description ? { description } : {};
  if (NAMED[id]) return { ...about, ...NAMED[id] };
  if (type.is !== 'object') return { ...about, ...schemaOf(type) };
  const marks: Markers = markers[id] ?? {};
  const isKind = type.properties.kind?.is === 'string' && type.properties.kind.enum !== undefined;
  const properties: Json = {};
  for (const [name, schema] of members(type)) {
    const declared = type.properties[name]!;
    if (name === 'apiVersion' || name === 'kind') {
      properties[name] = isKind ? typeMeta[name] : schema;
      continue;
    }
    const more: Json = {};
    if (declared.is === 'array' && !(isKind && name === 'items')) {
      Object.assign(more, mergeRules(declared.items, marks[name] as ListMarker));
    }
    if (declared.is === 'map' && marks[name]) more['x-kubernetes-map-type'] = 'atomic';
    if (marks[name] === 'granular') more['x-kubernetes-map-type'] = 'granular';
    if (declared.is === 'ref' && markers[declared.name]?.[''] === 'retainKeys') {
      more['x-kubernetes-patch-strategy'] = 'retainKeys';
    }
    if (marks[name] === 'replace') more['x-kubernetes-patch-strategy'] = 'replace';
    const stated = DEFAULTS[`${id}.${name}`];
    if (stated !== undefined) more.default = stated;
    else if (type.required.includes(name) && declared.is in ZERO) more.default = ZERO[declared.is];
    else if (isKind && declared.is === 'ref' && ['metadata', 'spec', 'status'].includes(name)) more.default = {};
    properties[name] = '$ref' in schema ? described(schema, more) : { ...schema, ...more };
  }
  const required = type.required.filter((name) => !isKind || (name !== 'apiVersion' && name !== 'kind'));
  return {
    ...about,
    type: 'object',
    properties,
    ...(required.length > 0 && { required }),
    ...(marks[''] === 'atomic' && { 'x-kubernetes-map-type': 'atomic' }),
    ...groupVersionKinds(id, isKind),
  };
}

/** Options and results that every group has stand in the documents with their core names. */
function groupVersionKinds(id: string, isKind: boolean): Json {
  const { path, name } = splitId(id);
  const isMeta = path === 'meta/v1' && ['DeleteOptions', 'Status', 'APIResourceList', 'WatchEvent'].includes(name);
  if (!isKind && !isMeta) return {};
  const [group, version] = path.includes('/') && !isMeta ? path.split('/', 2) : ['', isMeta ? 'v1' : path];
  return { 'x-kubernetes-group-version-kind': [{ group, version, kind: name }] };
}

export function definitionsModuleOf(definitions: ReadonlyMap<string, Definition>): string {
  const options = definitions.get('meta/v1.DeleteOptions')!.type as Declared & { is: 'object' };
  const typeMeta = Object.fromEntries(members(options));
  const lines = [...definitions.values()]
    .filter(({ id }) => isServed(id))
    .map((definition) => [definition.id, componentName(definition.id), JSON.stringify(component(definition, typeMeta))])
    .map((parts) => parts.join('\t'))
    .sort();
  const text = Buffer.from(lines.join('\n'));
  return [
    '// Made by scripts/generate.ts from kubernetes-models. Not to be edited.',
    `export const packed='${brotliCompressSync(text).toString('base64')}';`,
    `export const digest='${createHash('sha256').update(text).digest('hex')}';`,
    '',
  ].join('\n');
}
