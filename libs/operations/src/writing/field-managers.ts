import type { Kind } from '@periplus/api';
import {
  blankOf,
  type Comparison,
  CreatedFields,
  compareObjects,
  type DeepReadonly,
  decodeManagedFields,
  deepEqual,
  formatTime,
  isReset,
  type JsonObject,
  type KubeObject,
  MANAGER_CHARS_MAX,
  type ManagedFieldsEntry,
  type Manager,
  type ObjectSchema,
  trackUpdate,
} from '@periplus/apimachinery';
import { storageKind } from '../cluster-state.ts';
import type { RequestContext, Target } from '../types.ts';

type State = DeepReadonly<KubeObject>;
type Entries = readonly ManagedFieldsEntry[];

/** Says who manages the fields of an object that is about to be written, in its metadata. */
export type Manage = (object: KubeObject, old: State | null) => void;

const apiVersionOf = ({ group, version }: Kind): string => (group === '' ? version : `${group}/${version}`);

/** The printable characters of a User-Agent before its first slash, as many as a name may have. */
function nameOf(userAgent: string): string {
  const end = userAgent.indexOf('/');
  return (end < 0 ? userAgent : userAgent.slice(0, end))
    .replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '')
    .slice(0, MANAGER_CHARS_MAX);
}

export const managerOf = (
  { fieldManager, userAgent = '' }: RequestContext,
  { kind, subresource }: Target,
  operation: Manager['operation'],
): Manager => ({
  manager: fieldManager || nameOf(userAgent) || 'unknown',
  operation,
  apiVersion: apiVersionOf(kind),
  subresource,
});

/** What is the same for all objects of a kind. */
interface Ownership {
  /** Members that writes to the object may change, so that fields in them can belong to somebody. */
  readonly members: readonly string[];
  /** The same and the status, which a part of the object may be in. */
  readonly all: readonly string[];
  readonly created: CreatedFields;
}

const STATUS_MEMBERS = ['metadata', 'status'];
const known = new WeakMap<Kind, Ownership>();

function ownershipOf(kind: Kind): Ownership {
  let ownership = known.get(kind);
  if (!ownership) {
    const schema = kind.schema as ObjectSchema;
    const all = Object.keys(schema.properties).filter((name) => name !== 'apiVersion' && name !== 'kind');
    const members = kind.hasStatus ? all.filter((name) => name !== 'status') : all;
    ownership = { members, all, created: new CreatedFields(schema, members) };
    known.set(kind, ownership);
  }
  return ownership;
}

/** The members that a write to `target` may change. */
export function ownableMembers({ kind, subresource }: Target): readonly string[] {
  if (subresource === 'status') return STATUS_MEMBERS;
  const { members, all } = ownershipOf(kind);
  return Object.hasOwn(kind.parts, subresource) ? all : members;
}

const asJson = (object: State): DeepReadonly<JsonObject> => object as unknown as DeepReadonly<JsonObject>;

/**
 * What changes between two states of an object, in the words of any version: those of `target` and of the stored form
 * are told apart; fields that only another version has are taken for unchanged.
 */
export function changesBetween(
  target: Target,
  was: State | null,
  is: State,
): (apiVersion: string) => Comparison | undefined {
  const { kind } = target;
  const stored = storageKind(kind);
  const compare = (form: Kind, old: State | null, now: State): Comparison => {
    const schema = form.schema as ObjectSchema;
    const before = old === null ? blankOf(schema) : asJson(old);
    return compareObjects(before, asJson(now), schema, ownableMembers({ ...target, kind: form }));
  };
  let own: Comparison | undefined;
  let other: Comparison | undefined;
  return (apiVersion) => {
    if (stored !== kind && apiVersion === apiVersionOf(stored)) {
      const toStorage = (state: State): KubeObject => kind.storedAs!.toStorage(state as KubeObject);
      other ??= compare(stored, was && toStorage(was), toStorage(is));
      return other;
    }
    own ??= compare(kind, was, is);
    return own;
  };
}

/** What a client sends back of metadata that is not for it to say, put as the server has it. */
const asManaged = (object: KubeObject, old: State | null): State => ({
  ...object,
  metadata: {
    ...object.metadata,
    managedFields: old?.metadata.managedFields as ManagedFieldsEntry[] | undefined,
    resourceVersion: old?.metadata.resourceVersion,
  },
});

/** The entries that hold before an update: the client's own, when it may state any and they make sense. */
function entriesBefore({ metadata }: KubeObject, old: State | null, subresource: string): Entries {
  const live = (old?.metadata.managedFields ?? []) as Entries;
  const sent = metadata.managedFields as readonly unknown[] | undefined;
  if (subresource !== '' || sent === undefined || deepEqual(sent, live)) return live;
  if (isReset(sent)) return [];
  return decodeManagedFields(sent) ?? live;
}

export function setManagedFields({ metadata }: KubeObject, entries: Entries): void {
  if (entries.length > 0) metadata.managedFields = entries as ManagedFieldsEntry[];
  else delete metadata.managedFields;
}

/**
 * Gives who creates or updates an object the fields that he changes. An object that nobody manages yet, because it is
 * older than that or a client asked to forget, stays so until somebody applies it.
 */
export const managedByUpdate =
  (context: RequestContext, target: Target): Manage =>
  (object, old) => {
    const entries = entriesBefore(object, old, target.subresource);
    const by = managerOf(context, target, 'Update');
    const time = formatTime(context.nowMs);
    if (entries.length === 0) {
      const isNew = old === null;
      setManagedFields(object, isNew ? ownershipOf(target.kind).created.managedBy(by, time, asJson(object)) : entries);
      return;
    }
    const managed = trackUpdate(entries, {
      by,
      time,
      names: ownableMembers(target),
      changesIn: changesBetween(target, old, asManaged(object, old)),
    });
    setManagedFields(object, managed);
  };
