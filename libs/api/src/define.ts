import {
  type DeepReadonly,
  dns1123Subdomain,
  type FieldPath,
  type KubeObject,
  type NameRule,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from '@periplus/apimachinery';
import { schemas } from '../generated/schemas.js';
import { ageColumn, nameColumn } from './columns.ts';
import { sameValue } from './equality.ts';
import type { Errors, Warnings } from './field-rules.ts';
import type { Column, Kind, ScalePaths, UpdatedPart } from './kind.ts';

const ALL_VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'] as const;

/** What differs between kinds; everything absent gets the behaviour that most kinds have. */
export interface KindDefinition<T extends KubeObject> {
  group: string;
  version: string;
  kind: string;
  plural: string;
  /** The kind in lower case by default. */
  singular?: string;
  shortNames?: readonly string[];
  categories?: readonly string[];
  namespaced: boolean;
  /** All of them by default; `create` alone for what is not stored. */
  verbs?: readonly string[];
  /** True by default. */
  isStored?: boolean;
  deprecation?: string;
  storedAs?: Kind<T>['storedAs'];
  confidential?: readonly string[];
  scale?: ScalePaths;
  parts?: Readonly<Record<string, PartDefinition<T>>>;
  /** Name and Age by default. */
  columns?: readonly Column<T>[];
  selectableFields?: Kind<T>['selectableFields'];
  /** Whether a creator may say what the status is: nodes register with theirs. */
  keepsStatusOfCreator?: boolean;
  /** Whether `metadata.generation` counts changes of everything but metadata and status. */
  generation?: boolean;
  orphansDependents?: boolean;
  answersRemoved?: boolean;
  createdByUpdate?: boolean;
  updatedByVersionOnly?: boolean;
  setDefaults?(object: T): void;
  prepareForCreate?(object: T): void;
  prepareForUpdate?(object: T, old: DeepReadonly<T>): void;
  prepareForStatusUpdate?(object: T, old: DeepReadonly<T>): void;
  /** DNS subdomains by default. */
  nameRule?: NameRule;
  /** Adds what is wrong with the object, besides its metadata. Runs on create (`old` is null) and on update. */
  check?(errors: Errors, at: FieldPath, object: DeepReadonly<T>, old: DeepReadonly<T> | null): void;
  /** Adds what is wrong only with an object that is created now. */
  checkNew?(errors: Errors, at: FieldPath, object: DeepReadonly<T>): void;
  /** Adds what is wrong with the change from `old`, besides its metadata. */
  checkUpdate?(errors: Errors, at: FieldPath, object: DeepReadonly<T>, old: DeepReadonly<T>): void;
  /** Adds what its author should know about an object that is valid. */
  warn?(warnings: Warnings, at: FieldPath, object: DeepReadonly<T>, old: DeepReadonly<T> | null): void;
  /** Adds what the author of a valid status should know. */
  warnOfStatus?(warnings: Warnings, at: FieldPath, object: DeepReadonly<T>): void;
  checkStatusUpdate?(errors: Errors, at: FieldPath, object: DeepReadonly<T>, old: DeepReadonly<T>): void;
  gracePeriodSeconds?(object: DeepReadonly<T>, requested: number | undefined): number;
}

/** How a part of an object is updated. The rest, most of the metadata included, is kept before. */
export interface PartDefinition<T extends KubeObject> {
  /** Puts the part of `asked` into `object`, which is what there was. */
  take(object: T, asked: T): void;
  /** Adds what is wrong with the change, besides what is wrong with the object. */
  check(errors: Errors, at: FieldPath, object: DeepReadonly<T>, old: DeepReadonly<T>): void;
}

const NO_WARNINGS: readonly string[] = [];

type Members = Record<string, unknown>;

/** Whether anything that the user states (all but metadata and status) differs. */
function changesIntent(object: Members, old: Members): boolean {
  for (const name of new Set([...Object.keys(object), ...Object.keys(old)])) {
    if (name === 'metadata' || name === 'status') continue;
    if (!sameValue(object[name], old[name])) return true;
  }
  return false;
}

function countChange(object: KubeObject, old: KubeObject): void {
  const generation = old.metadata.generation ?? 1;
  const isChanged = changesIntent(object as unknown as Members, old as unknown as Members);
  object.metadata.generation = isChanged ? generation + 1 : generation;
}

/** A status update changes status, and of the metadata what anyone may: labels, annotations, finalizers, owners. */
function keepAllButStatus(object: Members, old: Members): void {
  for (const name of Object.keys(object)) {
    if (name !== 'metadata' && name !== 'status' && !(name in old)) delete object[name];
  }
  for (const name in old) {
    if (name !== 'metadata' && name !== 'status') object[name] = old[name];
  }
}

/** What clients set for the object as a whole. */
const METADATA_OF_THE_WHOLE = ['labels', 'annotations', 'finalizers', 'ownerReferences', 'generation'] as const;

/** For updates of less than the object as a whole. */
export function keepMetadata(metadata: object, old: DeepReadonly<KubeObject>['metadata']): void {
  for (const name of METADATA_OF_THE_WHOLE) {
    if (old[name] === undefined) delete (metadata as Members)[name];
    else (metadata as Members)[name] = old[name];
  }
}

function partOf<T extends KubeObject>(of: KindDefinition<T>, part: PartDefinition<T>): UpdatedPart<T> {
  return {
    prepare(object, old) {
      const asked = { ...object };
      const members = object as Members;
      for (const name of Object.keys(object)) if (name !== 'metadata') delete members[name];
      for (const name in old) if (name !== 'metadata') members[name] = (old as Members)[name];
      keepMetadata(object.metadata, old.metadata);
      part.take(object, asked);
      if (of.generation) countChange(object, old as T);
    },
    validate(object, old, root) {
      const errors = validateObjectMetaUpdate(object.metadata, old.metadata, root.child('metadata'));
      part.check(errors, root, object, old);
      of.check?.(errors, root, object, old);
      return errors;
    },
  };
}

/** Makes a kind from what is particular to it. Its schema is looked up by group, version and kind. */
export function defineKind<T extends KubeObject>(of: KindDefinition<T>): Kind<T> {
  const id = `${of.group ? `${of.group}/` : ''}${of.version}.${of.kind}`;
  const schema = schemas[id];
  if (schema?.type !== 'object') throw new Error(`no schema of ${id}`);
  const isStored = of.isStored ?? true;
  const hasStatus = isStored && 'status' in schema.properties;
  const rules = { namespaced: of.namespaced, nameRule: of.nameRule ?? dns1123Subdomain };

  return {
    group: of.group,
    version: of.version,
    kind: of.kind,
    plural: of.plural,
    singular: of.singular ?? of.kind.toLowerCase(),
    shortNames: of.shortNames ?? [],
    categories: of.categories ?? [],
    namespaced: of.namespaced,
    verbs: of.verbs ?? (isStored ? ALL_VERBS : ['create']),
    schema,
    isStored,
    deprecation: of.deprecation ?? '',
    storedAs: of.storedAs ?? null,
    confidential: of.confidential ?? [],
    hasStatus,
    scale: of.scale ?? null,
    parts: Object.fromEntries(Object.entries(of.parts ?? {}).map(([name, part]) => [name, partOf(of, part)])),
    columns: of.columns ?? [nameColumn, ageColumn],
    selectableFields: of.selectableFields ?? {},
    orphansDependents: of.orphansDependents ?? false,
    answersRemoved: of.answersRemoved ?? false,
    createdByUpdate: of.createdByUpdate ?? false,
    updatedByVersionOnly: of.updatedByVersionOnly ?? false,
    setDefaults(object) {
      of.setDefaults?.(object);
    },
    prepareForCreate(object) {
      if (hasStatus && !of.keepsStatusOfCreator) (object as Members).status = {};
      if (of.generation) object.metadata.generation = 1;
      else delete object.metadata.generation;
      of.prepareForCreate?.(object);
    },
    prepareForUpdate(object, old) {
      if (hasStatus) (object as Members).status = (old as Members).status;
      of.prepareForUpdate?.(object, old);
      if (of.generation) countChange(object, old as T);
    },
    prepareForStatusUpdate(object, old) {
      keepAllButStatus(object as Members, old as Members);
      if (old.metadata.generation !== undefined) object.metadata.generation = old.metadata.generation;
      of.prepareForStatusUpdate?.(object, old);
    },
    validate(object, root) {
      const errors = isStored ? validateObjectMeta(object.metadata, rules, root.child('metadata')) : [];
      of.check?.(errors, root, object, null);
      of.checkNew?.(errors, root, object);
      return errors;
    },
    validateUpdate(object, old, root) {
      const errors = validateObjectMetaUpdate(object.metadata, old.metadata, root.child('metadata'));
      of.checkUpdate?.(errors, root, object, old);
      of.check?.(errors, root, object, old);
      return errors;
    },
    warnings(object, old, root) {
      if (!of.warn) return NO_WARNINGS;
      const warnings: Warnings = [];
      of.warn(warnings, root, object, old);
      return warnings;
    },
    statusWarnings(object, root) {
      if (!of.warnOfStatus) return NO_WARNINGS;
      const warnings: Warnings = [];
      of.warnOfStatus(warnings, root, object);
      return warnings;
    },
    validateStatusUpdate(object, old, root) {
      const errors = validateObjectMetaUpdate(object.metadata, old.metadata, root.child('metadata'));
      of.checkStatusUpdate?.(errors, root, object, old);
      return errors;
    },
    gracePeriodSeconds: (object, requested) => of.gracePeriodSeconds?.(object, requested) ?? 0,
  };
}
