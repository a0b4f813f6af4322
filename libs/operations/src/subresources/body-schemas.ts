import type { Schema } from '@periplus/apimachinery';
import type { BodyKind } from '../writing/decode.ts';

/** What is sent to subresources but never stored. Their metadata is of any kind, so it is not looked into. */
const text: Schema = { type: 'string' };
const texts: Schema = { type: 'map', values: text };
const time: Schema = { type: 'string', format: 'date-time' };

const object = (name: string, properties: Record<string, Schema>): Schema => ({
  type: 'object',
  name,
  properties,
  required: [],
});

const metadata = object('ObjectMeta', {
  name: text,
  generateName: text,
  namespace: text,
  uid: text,
  resourceVersion: text,
  creationTimestamp: time,
  labels: texts,
  annotations: texts,
  generation: { type: 'integer' },
  managedFields: { type: 'any' },
  ownerReferences: { type: 'any' },
  finalizers: { type: 'any' },
  deletionTimestamp: time,
  deletionGracePeriodSeconds: { type: 'integer' },
  selfLink: text,
});

const type = { kind: text, apiVersion: text };

/** https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/binding-v1/ */
export const bindingBody: BodyKind = {
  group: '',
  version: 'v1',
  kind: 'Binding',
  schema: object('Binding', {
    ...type,
    metadata,
    target: object('ObjectReference', {
      kind: text,
      namespace: text,
      name: text,
      uid: text,
      apiVersion: text,
      resourceVersion: text,
      fieldPath: text,
    }),
  }),
};

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/scale/ */
export const scaleBody: BodyKind = {
  group: 'autoscaling',
  version: 'v1',
  kind: 'Scale',
  schema: object('Scale', {
    ...type,
    metadata,
    spec: object('ScaleSpec', { replicas: { type: 'integer', format: 'int32' } }),
    status: object('ScaleStatus', { replicas: { type: 'integer', format: 'int32' }, selector: text }),
  }),
};

/** https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/ */
export const tokenRequestBody: BodyKind = {
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenRequest',
  schema: object('TokenRequest', {
    ...type,
    metadata,
    spec: object('TokenRequestSpec', {
      audiences: { type: 'array', items: text, list: 'atomic' },
      boundObjectRef: object('BoundObjectReference', { kind: text, apiVersion: text, name: text, uid: text }),
      expirationSeconds: { type: 'integer' },
    }),
    status: object('TokenRequestStatus', { expirationTimestamp: time, token: text }),
  }),
};

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/delete-options/ */
export const deleteOptionsSchema = object('DeleteOptions', {
  ...type,
  dryRun: { type: 'array', items: text, list: 'atomic' },
  gracePeriodSeconds: { type: 'integer' },
  ignoreStoreReadErrorWithClusterBreakingPotential: { type: 'boolean' },
  orphanDependents: { type: 'boolean' },
  preconditions: object('Preconditions', { resourceVersion: text, uid: text }),
  propagationPolicy: text,
});

const evictionSchema = object('Eviction', { ...type, metadata, deleteOptions: deleteOptionsSchema });

/** https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/eviction-v1/ */
export const evictionBody: BodyKind = { group: 'policy', version: 'v1', kind: 'Eviction', schema: evictionSchema };

/** What clients before Kubernetes 1.22 send. */
export const olderEvictionBody: BodyKind = { ...evictionBody, version: 'v1beta1' };

/** Ours, with which the scheduler binds pods of a group at once. */
export const podGroupBindingBody: BodyKind = {
  group: 'scheduling.k8s.io',
  version: 'v1alpha2',
  kind: 'PodGroupBinding',
  schema: object('PodGroupBinding', {
    ...type,
    metadata,
    bindings: { type: 'array', items: object('PodBinding', { name: text, uid: text, node: text }), list: 'atomic' },
  }),
};
