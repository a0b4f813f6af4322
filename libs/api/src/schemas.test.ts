import { type ArraySchema, applyStrategicMergePatch, type ObjectSchema, type Schema } from '@periplus/apimachinery';
import { describe, expect, it } from 'vitest';
import { schemas } from '../generated/schemas.js';

/** The schema at a path of members; `[]` is the item of a list. */
function at(id: string, path: string): Schema {
  let schema = schemas[id] as Schema;
  for (const part of path.split('.').filter(Boolean)) {
    schema = part === '[]' ? (schema as ArraySchema).items : ((schema as ObjectSchema).properties[part] as Schema);
  }
  return schema;
}
const list = (id: string, path: string): string => {
  const { list: kind, keys } = at(id, path) as ArraySchema;
  return [kind, ...(keys ?? [])].join(' ');
};

describe('schemas made from the declarations', () => {
  it.each<[string, string, object]>([
    ['v1.Pod', 'metadata.creationTimestamp', { type: 'string', format: 'date-time' }],
    ['v1.Pod', 'metadata.generation', { type: 'integer', format: 'int64' }],
    ['v1.Pod', 'metadata.labels', { type: 'map', values: { type: 'string' } }],
    ['v1.Pod', 'spec.priority', { type: 'integer', format: 'int32' }],
    ['v1.Pod', 'spec.hostNetwork', { type: 'boolean' }],
    ['v1.Pod', 'spec.containers.[].resources.limits', { type: 'map', values: { type: 'quantity' } }],
    ['v1.Pod', 'spec.containers.[].livenessProbe.httpGet.port', { type: 'intOrString' }],
    ['v1.Pod', 'spec.restartPolicy', { type: 'string', enum: ['Always', 'Never', 'OnFailure'] }],
    ['v1.Secret', 'data', { type: 'map', values: { type: 'string', format: 'byte' } }],
    ['coordination.k8s.io/v1.Lease', 'spec.renewTime', { type: 'string', format: 'micro-time' }],
    ['v1.Pod', 'metadata.managedFields.[].fieldsV1', { type: 'any' }],
  ])('%s %s', (id, path, expected) => {
    expect(at(id, path)).toEqual(expected);
  });

  it.each<[string, string, string]>([
    ['v1.Pod', 'spec.containers', 'map name'],
    ['v1.Pod', 'spec.containers.[].ports', 'map containerPort protocol'],
    ['v1.Pod', 'spec.containers.[].env', 'map name'],
    ['v1.Pod', 'spec.containers.[].volumeMounts', 'map mountPath'],
    ['v1.Pod', 'spec.volumes', 'map name'],
    ['v1.Pod', 'spec.tolerations', 'atomic'],
    ['v1.Pod', 'spec.hostAliases', 'map ip'],
    ['v1.Pod', 'spec.imagePullSecrets', 'map name'],
    ['v1.Pod', 'spec.topologySpreadConstraints', 'map topologyKey whenUnsatisfiable'],
    ['v1.Pod', 'metadata.finalizers', 'set'],
    ['v1.Pod', 'metadata.ownerReferences', 'map uid'],
    ['v1.Pod', 'status.conditions', 'map type'],
    ['v1.Pod', 'status.hostIPs', 'map ip'],
    ['v1.Pod', 'spec.containers.[].args', 'atomic'],
    ['v1.Service', 'spec.ports', 'map port protocol'],
    ['v1.ServiceAccount', 'secrets', 'map name'],
    ['v1.Node', 'status.addresses', 'map type'],
    ['apps/v1.Deployment', 'status.conditions', 'map type'],
    ['discovery.k8s.io/v1.EndpointSlice', 'endpoints', 'atomic'],
  ])('say how to merge the list %s %s', (id, path, expected) => {
    expect(list(id, path)).toBe(expected);
  });

  it('mark what clients merge by naming what stays', () => {
    expect(at('apps/v1.Deployment', 'spec.strategy')).toMatchObject({ name: 'DeploymentStrategy', retainKeys: true });
    expect(at('v1.Pod', 'spec.volumes.[]')).toMatchObject({ name: 'Volume', retainKeys: true });
    expect(at('v1.Pod', 'status.resourceClaimStatuses.[]')).toMatchObject({ retainKeys: true });
  });

  it('know one value by its type, but where a property says otherwise', () => {
    expect(at('v1.Event', 'involvedObject')).toMatchObject({ name: 'ObjectReference', atomic: true });
    expect(at('v1.PersistentVolume', 'spec.claimRef')).toMatchObject({ name: 'ObjectReference', atomic: false });
    expect(at('v1.Pod', 'status.hostIPs')).toMatchObject({ list: 'map', applied: 'atomic' });
  });

  it('know which lists Go writes as null when they are empty', () => {
    expect(at('v1.Pod', 'spec')).not.toHaveProperty('unset');
    for (const [id, path, name] of [
      ['rbac.authorization.k8s.io/v1.Role', '', 'rules'],
      ['discovery.k8s.io/v1.EndpointSlice', '', 'endpoints'],
      ['v1.Node', 'status.images.[]', 'names'],
      ['v1.Pod', 'spec.volumes.[].projected', 'sources'],
    ] as const) {
      expect(at(id, path)).toMatchObject({ unset: { [name]: 'null' } });
    }
  });

  it('know what must be there', () => {
    expect((at('v1.Pod', 'spec') as ObjectSchema).required).toEqual(['containers']);
    expect((at('v1.Pod', 'metadata.ownerReferences.[]') as ObjectSchema).required).toEqual([
      'apiVersion',
      'kind',
      'name',
      'uid',
    ]);
    expect((at('v1.Pod', '') as ObjectSchema).required).toEqual([]);
  });

  it('may contain themselves', () => {
    const path = 'spec.versions.[].schema.openAPIV3Schema';
    const id = 'apiextensions.k8s.io/v1.CustomResourceDefinition';
    expect(at(id, `${path}.not.allOf.[]`)).toBe(at(id, path));
  });
});

it('lets a patch replace the selector of a PodDisruptionBudget, and merge those of others', () => {
  const budget = { spec: { minAvailable: 1, selector: { matchLabels: { a: 'b' } } } };
  const patch = { spec: { selector: { matchLabels: { c: 'd' } } } };
  expect(applyStrategicMergePatch(budget, patch, schemas['policy/v1.PodDisruptionBudget']!)).toEqual({
    spec: { minAvailable: 1, selector: { matchLabels: { c: 'd' } } },
  });
  const set = { spec: { selector: { matchLabels: { a: 'b' } } } };
  expect(applyStrategicMergePatch(set, patch, schemas['apps/v1.ReplicaSet']!)).toEqual({
    spec: { selector: { matchLabels: { a: 'b', c: 'd' } } },
  });
});
