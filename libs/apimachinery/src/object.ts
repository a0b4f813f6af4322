/** The parts that every Kubernetes object has. Kinds narrow this with the types of `kubernetes-models`. */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/**
 * A set of fields (FieldsV1): a tree of path elements, in which a member without members of its own is in the set, and
 * one with members is in it when it has the member `.`.
 */
export interface FieldSet {
  readonly [element: string]: FieldSet;
}

/** Who owns which fields, and by what. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/#System */
export interface ManagedFieldsEntry {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  /** The version of the kind in which the fields are named. */
  readonly apiVersion: string;
  readonly time?: string;
  readonly fieldsType: 'FieldsV1';
  readonly fieldsV1: FieldSet;
  readonly subresource?: string;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/ */
export interface ObjectMeta {
  name?: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  /** Stored objects have whole entries: `decodeManagedFields` checks what clients send. */
  managedFields?: ManagedFieldsEntry[];
}

export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

export type JsonValue = string | number | boolean | null | JsonValue[] | { [name: string]: JsonValue };
export type JsonObject = { [name: string]: JsonValue };

/** What caches hand out: tests freeze it, the type forbids writing to it. */
export type DeepReadonly<T> = T extends (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/** Names one object of one kind, at the kind's storage version. `namespace` is '' for cluster-scoped kinds. */
export interface ResourceKey {
  group: string;
  /** The plural: "pods". */
  resource: string;
  namespace: string;
  name: string;
}
