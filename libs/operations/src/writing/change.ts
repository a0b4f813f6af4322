import type { Service } from '@periplus/api';
import {
  conflict,
  type DeepReadonly,
  deepEqual,
  type KubeObject,
  notFound,
  StatusError,
  staleVersion,
} from '@periplus/apimachinery';
import type { Entry } from '@periplus/cache';
import { WriteConflict } from '@periplus/store';
import { namedResource, resourceOf, storageKind } from '../cluster-state.ts';
import { objectResult } from '../reading/read.ts';
import type { ObjectResult, Preconditions, RequestContext, Target } from '../types.ts';
import { inFormOf } from './committer.ts';
import { release, type WriteDeps } from './create.ts';
import { allocate } from './service-allocation.ts';

/** What is decided of an object's current state. */
export interface Decision {
  /** The next state in its stored form; null to remove the object. */
  readonly object: KubeObject | null;
  /** With a removal: the last state, to answer with. */
  readonly last?: KubeObject;
}

export interface ChangeRequest {
  readonly context: RequestContext;
  readonly target: Target;
  /** For the provenance. */
  readonly verb: string;
  /** How often to look again when somebody else was faster; then Conflict. */
  readonly attemptsMax: number;
  /** Runs once per attempt, on the newest state known. Throws StatusError to refuse. */
  decide(entry: Entry): Decision | Promise<Decision>;
}

/** As often an unconditional change may be overtaken. */
export const ATTEMPTS_MAX = 32;

/** Whether `object` says what `entry` says already. */
const isSame = (object: KubeObject, entry: Entry): boolean => {
  object.metadata.resourceVersion = entry.resourceVersion;
  return deepEqual(object, entry.object);
};

/**
 * Changes one object, optimistically: decides on what the cache has, and commits that if it is still the newest. What
 * an out of date cache made us refuse, or think superfluous, is looked at again with a cache that is not.
 */
export function changeObject(deps: WriteDeps, request: ChangeRequest): Promise<ObjectResult> {
  return deps.turns.take(turnOf(request.target), () => change(deps, request));
}

/** What changes of the same object share. */
export const turnOf = ({ kind, namespace, name }: Target): string => {
  const { group, resource } = resourceOf(kind);
  return `${group}/${resource}/${namespace}/${name}`;
};

async function change(deps: WriteDeps, request: ChangeRequest): Promise<ObjectResult> {
  const { cluster } = deps;
  const { target } = request;
  const { kind, namespace, name } = target;
  let isFresh = false;
  const refresh = async (): Promise<void> => {
    await cluster.refresh();
    isFresh = true;
  };
  for (let attempt = 0; ; ) {
    const entry = cluster.entry(kind, namespace, name);
    if (!entry) {
      if (isFresh) throw notFound(namedResource(kind), name);
      await refresh();
      continue;
    }
    let decision: Decision;
    try {
      decision = await request.decide(entry);
    } catch (error) {
      if (isFresh || !(error instanceof StatusError)) throw error;
      await refresh();
      if (cluster.entry(kind, namespace, name) === entry) throw error;
      continue;
    }
    if (decision.object !== null && isSame(decision.object, entry)) {
      if (!isFresh) {
        await refresh();
        if (cluster.entry(kind, namespace, name) !== entry) continue;
      }
      return objectResult(entry, kind);
    }
    const result = await commit(deps, request, entry, decision, attempt);
    if (result) return result;
    isFresh = true;
    if (++attempt >= request.attemptsMax) throw staleVersion(namedResource(kind), name);
  }
}

/** Undefined when somebody else was faster; the cache has then seen him. */
async function commit(
  deps: WriteDeps,
  { context, target, verb }: ChangeRequest,
  entry: Entry,
  { object, last }: Decision,
  attempt: number,
): Promise<ObjectResult | undefined> {
  const { kind } = target;
  const isService = storageKind(kind).group === '' && kind.plural === 'services' && object !== null;
  for (let choice = 0; ; choice++) {
    const choices = isService
      ? allocate(object as Service, entry.object as DeepReadonly<Service>, deps.allocation)
      : [];
    try {
      return await deps.committer.commit({ context, verb, kind, old: entry, object, last });
    } catch (error) {
      if (!(error instanceof WriteConflict)) throw error;
      await deps.cluster.reach(error.revision);
      if (error.companion === null) return undefined;
      release(object as Service, choices, error.companion, attempt + choice);
    }
  }
}

/** Throws Conflict unless the object is the one that was meant. */
export function checkPreconditions(target: Target, entry: Entry, only: Preconditions): void {
  const { kind, name } = target;
  const { uid } = entry.object.metadata;
  if (only.uid && only.uid !== uid) {
    const { group, resource, namespace } = entry.key;
    const key = ['', 'registry', ...(group ? [group] : []), resource, ...(namespace ? [namespace] : []), name].join(
      '/',
    );
    const why = `Precondition failed: UID in precondition: ${only.uid}, UID in object meta: ${uid}`;
    throw conflict(
      namedResource(kind),
      name,
      `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`,
    );
  }
  if (only.resourceVersion && only.resourceVersion !== entry.resourceVersion)
    throw staleVersion(namedResource(kind), name);
}

/** The current state in the form that was asked for. Belongs to the cache. */
export const currentObject = (target: Target, entry: Entry): DeepReadonly<KubeObject> =>
  inFormOf(target.kind, entry.object);
