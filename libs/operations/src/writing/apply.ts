import {
  applyConfig,
  applyConflict,
  cloneJson,
  conflict,
  conflictsBeyond,
  type DeepReadonly,
  deepEqual,
  type FieldConflict,
  formatTime,
  type JsonObject,
  type KubeObject,
  LAST_APPLIED,
  type ManagedFieldsEntry,
  type Manager,
  sameManagement,
  setByClientSideApply,
  trackUpdate,
} from '@periplus/apimachinery';
import type { Entry } from '@periplus/cache';
import { namedResource } from '../cluster-state.ts';
import type { ObjectResult, Patch, Preconditions, RequestContext, Target } from '../types.ts';
import { changeObject, checkPreconditions, currentObject, type Decision } from './change.ts';
import { type Configuration, decodeConfiguration } from './configuration.ts';
import { createObject, type WriteDeps } from './create.ts';
import { decodeObject } from './decode.ts';
import { changesBetween, managerOf, ownableMembers, setManagedFields } from './field-managers.ts';
import { checkNamedAs } from './metadata.ts';
import { orCreate } from './or-create.ts';
import { decideUpdate } from './update.ts';

/** The media type, which says YAML; JSON is YAML, too. */
export const APPLY_PATCH = 'application/apply-patch+yaml';

/** As often it is tried again when somebody else was faster. */
const ATTEMPTS_MAX = 5;
/** Whose apply goes on where client-side apply ended. */
const KUBECTL = 'kubectl';
/** Who owns what was there before somebody applied the object for the first time. */
const BEFORE_FIRST_APPLY = 'before-first-apply';

/** Who manages the live object; all that is there when nobody does yet. */
function entriesOf(live: DeepReadonly<KubeObject>, { context, target }: Configuration): readonly ManagedFieldsEntry[] {
  const { managedFields, ...metadata } = live.metadata;
  if (managedFields && managedFields.length > 0) return managedFields as readonly ManagedFieldsEntry[];
  const unmanaged = { ...live, metadata };
  const before: Manager = { ...managerOf(context, target, 'Update'), manager: BEFORE_FIRST_APPLY };
  return trackUpdate([], {
    by: before,
    time: formatTime(context.nowMs),
    names: ownableMembers(target),
    changesIn: changesBetween(target, null, unmanaged),
  });
}

/** Throws Conflict unless all that others manage stays, or may be taken. */
function checkConflicts(
  { context, target, force }: Configuration,
  live: DeepReadonly<KubeObject>,
  conflicts: readonly FieldConflict[],
): void {
  if (force || conflicts.length === 0) return;
  const isUpgrade = context.fieldManager === KUBECTL;
  const left = isUpgrade ? conflictsBeyond(conflicts, setByClientSideApply(live, target.kind.schema)) : conflicts;
  if (left.length > 0) throw applyConflict(left);
}

/** What client-side apply would look for, kept up to date where it has been. */
function keepLastApplied({ context, value }: Configuration, { metadata }: KubeObject): void {
  if (context.fieldManager !== KUBECTL || !metadata.annotations?.[LAST_APPLIED]) return;
  const config = cloneJson(value);
  const { annotations } = (config.metadata ?? {}) as { annotations?: JsonObject };
  if (annotations) delete annotations[LAST_APPLIED];
  metadata.annotations[LAST_APPLIED] = `${JSON.stringify(config)}\n`;
}

/** Merges a configuration of the whole object into its current state, and decides on that as on an update. */
export async function decideApply(
  deps: WriteDeps,
  configuration: Configuration,
  updated: Target,
  entry: Entry,
): Promise<Decision> {
  const { context, target, value } = configuration;
  const { kind } = target;
  const old = currentObject(target, entry);
  const { managedFields: _, ...metadata } = old.metadata;
  const live = { ...old, metadata } as unknown as JsonObject;
  const applied = applyConfig({
    ...{ live, config: value, schema: kind.schema, names: ownableMembers(target) },
    by: managerOf(context, target, 'Apply'),
    time: formatTime(context.nowMs),
    entries: entriesOf(old, configuration),
    changesIn: changesOnce((object) => changesBetween(target, live as unknown as KubeObject, object)),
  });
  checkConflicts(configuration, old, applied.conflicts);
  const silent: RequestContext = { ...context, warnings: [] };
  const object = decodeObject(silent, kind, cloneJson(applied.object), null);
  checkNamedAs(object, target);
  keepLastApplied(configuration, object);
  const decision = await decideUpdate(deps, context, updated, object, entry, (next) =>
    setManagedFields(next, applied.entries),
  );
  return decision.object ? { ...decision, object: settled(decision.object, entry) } : decision;
}

/** An apply is asked about its one result for every manager. */
function changesOnce<T>(changesTo: (object: KubeObject) => (apiVersion: string) => T) {
  let changesIn: ((apiVersion: string) => T) | undefined;
  return (object: JsonObject, apiVersion: string): T => {
    changesIn ??= changesTo(object as unknown as KubeObject);
    return changesIn(apiVersion);
  };
}

/** An apply that changes nothing but the time of its entry changes nothing at all. */
function settled(next: KubeObject, { object: old, resourceVersion }: Entry): KubeObject {
  const before = (old.metadata.managedFields ?? []) as readonly ManagedFieldsEntry[];
  if (!sameManagement(next.metadata.managedFields ?? [], before)) return next;
  const same = { ...next, metadata: { ...next.metadata, resourceVersion } };
  setManagedFields(same, before);
  return deepEqual(same, old) ? same : next;
}

/** The first apply of an object creates it, for who may. */
function createApplied(deps: WriteDeps, configuration: Configuration): Promise<ObjectResult> {
  const { context, target, value } = configuration;
  const { kind, name } = target;
  const config = cloneJson(value);
  const metadata = (config.metadata ?? {}) as KubeObject['metadata'];
  if (metadata.uid) {
    const why = `uid mismatch: the provided object specified uid ${metadata.uid}, and no existing object was found`;
    throw conflict(namedResource(kind), name, why);
  }
  checkNamedAs({ ...(config as unknown as KubeObject), metadata }, target);
  delete metadata.resourceVersion;
  const body = { value: config, json: null };
  return createObject(deps, context, { ...target, name: '' }, body, (object) => {
    const { entries } = applyConfig({
      ...{ live: {}, config: value, schema: kind.schema, names: ownableMembers(target), entries: [] },
      by: managerOf(context, target, 'Apply'),
      time: formatTime(context.nowMs),
      changesIn: () => undefined,
    });
    setManagedFields(object, entries);
  });
}

/** Server-side apply of an object or its status. https://kubernetes.io/docs/reference/using-api/server-side-apply/ */
export async function applyObject(
  deps: WriteDeps,
  context: RequestContext,
  target: Target,
  patch: Patch,
  only: Preconditions,
): Promise<ObjectResult> {
  deps.authorize(context, target, 'patch');
  const value = decodeConfiguration(context, target, target.kind, patch.body);
  const configuration: Configuration = { context, target, value, force: patch.force ?? false };
  const change = (): Promise<ObjectResult> =>
    changeObject(deps, {
      ...{ context, target, verb: 'apply', attemptsMax: ATTEMPTS_MAX },
      decide(entry) {
        checkPreconditions(target, entry, only);
        return decideApply(deps, configuration, target, entry);
      },
    });
  return target.subresource === '' ? orCreate(change, () => createApplied(deps, configuration)) : change();
}
