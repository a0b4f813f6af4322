import type { DeepReadonly, FieldError, FieldPath, KubeObject, Schema } from '@periplus/apimachinery';

/** A printer column, as `kubectl get` shows it. https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables */
export interface Column<T> {
  name: string;
  type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  /** "name" for the name column, else ''. */
  format?: string;
  description: string;
  /** 0 is always shown, 1 only with `-o wide`. */
  priority?: 0 | 1;
  /** `nowMs` is for ages. */
  of(object: DeepReadonly<T>, nowMs: number): string | number | boolean;
}

/** Where `/scale` finds its numbers. Dotted paths into the object. */
export interface ScalePaths {
  specReplicas: string;
  statusReplicas: string;
  labelSelector: string;
}

/** Written as a method, like all functions of a kind, so that a `Kind<Pod>` can stand where any `Kind` can. */
type SelectField<T> = { of(object: DeepReadonly<T>): string }['of'];

/** A part of an object that is updated apart from the rest, by rules of its own: `resize` of a pod. */
export interface UpdatedPart<T extends KubeObject = KubeObject> {
  /** Keeps everything but the part. Shares parts with `old`. */
  prepare(object: T, old: DeepReadonly<T>): void;
  validate(object: DeepReadonly<T>, old: DeepReadonly<T>, root: FieldPath): FieldError[];
}

/**
 * Everything the cluster knows about one kind of object at one version. Adding a kind is one file that
 * calls `defineKind` and one line in `builtin.ts`. All functions are synchronous and pure: they change
 * only the object they are given, see no clock and do no I/O.
 */
export interface Kind<T extends KubeObject = KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly schema: Schema;
  /** False for what is answered at once: SubjectAccessReview, and what is measured when somebody asks (NodeMetrics). */
  readonly isStored: boolean;
  /** What everybody who asks for it is warned of; '' for nothing. */
  readonly deprecation: string;
  /** Set when objects of this kind are stored as another kind (Event of events.k8s.io as core Event). */
  readonly storedAs: {
    kind: Kind;
    toStorage(object: T): KubeObject;
    fromStorage(stored: KubeObject): T;
  } | null;
  /** Members that are sealed at rest: top-level ones (Secret's `data`), and `metadata.annotations`. */
  readonly confidential: readonly string[];
  readonly hasStatus: boolean;
  readonly scale: ScalePaths | null;
  /** By the name of the subresource. */
  readonly parts: Readonly<Record<string, UpdatedPart<T>>>;
  readonly columns: readonly Column<T>[];
  /** Field selectors besides metadata.name and metadata.namespace: `spec.nodeName`. Absent values are ''. */
  readonly selectableFields: Readonly<Record<string, SelectField<T>>>;
  /** Whether a deletion that does not say leaves dependents behind: of Jobs and ReplicationControllers, for old clients. */
  readonly orphansDependents: boolean;
  /** Whether its removal is answered with the object as it was; otherwise with a Status. */
  readonly answersRemoved: boolean;
  /** Whether an update of what is not there creates it. */
  readonly createdByUpdate: boolean;
  /** Whether nobody may overwrite what he has not seen: an update must say which version it is made of. */
  readonly updatedByVersionOnly: boolean;
  /** Documented defaults of absent fields. Idempotent. Runs on every decoded object. */
  setDefaults(object: T): void;
  /** Drops what a creator may not set (status) and sets what the server owns (generation). */
  prepareForCreate(object: T): void;
  /**
   * Keeps what an update of the main resource may not change (status), bumps generation when spec changed.
   * Afterwards the object may share parts with `old`, so nobody may change it in place any more.
   */
  prepareForUpdate(object: T, old: DeepReadonly<T>): void;
  /** Keeps everything but status (and the metadata that a status update may change). Shares parts with `old`, too. */
  prepareForStatusUpdate(object: T, old: DeepReadonly<T>): void;
  /** Whether the object, with defaults set and prepared, may be created. */
  validate(object: DeepReadonly<T>, root: FieldPath): FieldError[];
  /** Whether the object may take the place of `old`: all that `validate` checks but its name, and the change. */
  validateUpdate(object: DeepReadonly<T>, old: DeepReadonly<T>, root: FieldPath): FieldError[];
  /**
   * What somebody should know about a valid object that he creates or, where `old` is not null, puts in the place of
   * `old`. https://kubernetes.io/blog/2020/09/03/warnings/
   */
  warnings(object: DeepReadonly<T>, old: DeepReadonly<T> | null, root: FieldPath): readonly string[];
  /** As `warnings`, of a valid status that he puts in the place of another. */
  statusWarnings(object: DeepReadonly<T>, root: FieldPath): readonly string[];
  validateStatusUpdate(object: DeepReadonly<T>, old: DeepReadonly<T>, root: FieldPath): FieldError[];
  /** Seconds between the request to delete and the removal; 0 removes at once. Pods: spec's or the request's. */
  gracePeriodSeconds(object: DeepReadonly<T>, requested: number | undefined): number;
}
