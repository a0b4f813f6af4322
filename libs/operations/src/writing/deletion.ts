import type { Kind, Namespace } from '@periplus/api';
import {
  at,
  conflict,
  type DeepReadonly,
  type FieldError,
  formatTime,
  invalid,
  type KubeObject,
  type ObjectMeta,
  parseTime,
} from '@periplus/apimachinery';
import { namedResource } from '../cluster-state.ts';
import type { DeleteOptions } from '../types.ts';

/** https://kubernetes.io/docs/concepts/architecture/garbage-collection/ */
const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';
const POLICIES = ['Foreground', 'Background', 'Orphan'];

/** Throws Invalid for options that contradict each other or say what there is not. */
export function checkDeleteOptions({ propagationPolicy, orphanDependents }: DeleteOptions): void {
  const errors: FieldError[] = [];
  const place = at('propagationPolicy');
  if (orphanDependents !== undefined && propagationPolicy) {
    errors.push(place.invalid(propagationPolicy, 'orphanDependents and deletionPropagation cannot be both set'));
  }
  if (propagationPolicy && !POLICIES.includes(propagationPolicy)) {
    errors.push(place.notSupported(propagationPolicy, [...POLICIES, 'nil']));
  }
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors);
}

/** Throws Conflict unless the object is the one that was meant. */
export function checkDeletePreconditions(
  kind: Kind,
  { metadata }: DeepReadonly<KubeObject>,
  { preconditions }: DeleteOptions,
): void {
  const refuse = (what: string, asked: string, found: string | undefined, hint: string): never => {
    const why = `the ${what} in the precondition (${asked}) does not match the ${what} in record (${found}). ${hint}`;
    throw conflict(namedResource(kind), metadata.name!, why);
  };
  const { uid, resourceVersion } = preconditions ?? {};
  if (uid && uid !== metadata.uid) {
    refuse('UID', uid, metadata.uid, 'The object might have been deleted and then recreated');
  }
  if (resourceVersion && resourceVersion !== metadata.resourceVersion) {
    refuse('ResourceVersion', resourceVersion, metadata.resourceVersion, 'The object might have been modified');
  }
}

/** The finalizers that a deletion leaves: those of the garbage collector as the options want them, and all others. */
function finalizersAfter(kind: Kind, before: readonly string[], options: DeleteOptions): string[] {
  const { propagationPolicy, orphanDependents } = options;
  const kept = before.filter((finalizer) => finalizer !== ORPHAN && finalizer !== FOREGROUND);
  // Events have no dependents that anybody would look after.
  if (kind.kind === 'Event') return kept;
  let policy = propagationPolicy;
  if (orphanDependents !== undefined) policy = orphanDependents ? 'Orphan' : 'Background';
  if (!policy) {
    if (before.includes(ORPHAN)) policy = 'Orphan';
    else if (before.includes(FOREGROUND)) policy = 'Foreground';
    else if (kind.orphansDependents) policy = 'Orphan';
  }
  if (policy === 'Orphan') kept.push(ORPHAN);
  if (policy === 'Foreground') kept.push(FOREGROUND);
  return kept;
}

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((each) => b.includes(each));

/** What a deletion does to an object. */
export type Deletion =
  | { readonly do: 'remove' }
  /** It stays for a while: for its grace period, or until its finalizers are gone. */
  | { readonly do: 'mark'; readonly object: KubeObject }
  /** It is on its way already, and nothing changes. */
  | { readonly do: 'nothing' };

const REMOVE: Deletion = { do: 'remove' };
const NOTHING: Deletion = { do: 'nothing' };

const withMetadata = (object: DeepReadonly<KubeObject>, metadata: Partial<ObjectMeta>): KubeObject =>
  ({ ...object, metadata: { ...object.metadata, ...metadata } }) as KubeObject;

const nextGeneration = ({ generation, deletionTimestamp }: DeepReadonly<ObjectMeta>): Partial<ObjectMeta> =>
  generation && deletionTimestamp === undefined ? { generation: generation + 1 } : {};

/** A second deletion may only shorten the time that the first one granted. */
function shorten(object: DeepReadonly<KubeObject>, requested: number | undefined): Deletion {
  const { deletionTimestamp, deletionGracePeriodSeconds: granted = 0 } = object.metadata;
  if (requested === undefined || requested >= granted) return NOTHING;
  const requestedAtMs = (parseTime(deletionTimestamp!) ?? 0) - granted * 1000;
  const marked = withMetadata(object, {
    deletionTimestamp: formatTime(requestedAtMs + requested * 1000),
    deletionGracePeriodSeconds: requested,
  });
  return { do: 'mark', object: marked };
}

/** Its finalizers hold it: it is marked, and goes with the last of them. */
function markFinalizing(object: DeepReadonly<KubeObject>, finalizers: string[], nowMs: number): KubeObject {
  const { metadata } = object;
  const now = formatTime(nowMs);
  const before = metadata.deletionTimestamp;
  return withMetadata(object, {
    finalizers,
    deletionTimestamp: before !== undefined && before <= now ? before : now,
    deletionGracePeriodSeconds: 0,
    ...nextGeneration(metadata),
  });
}

/** Decides what a deletion does to any object but a namespace. Preconditions hold. `object` is in its stored form. */
export function decideDeletion(
  kind: Kind,
  object: DeepReadonly<KubeObject>,
  options: DeleteOptions,
  nowMs: number,
): Deletion {
  const { metadata } = object;
  const { gracePeriodSeconds } = options;
  const requested = gracePeriodSeconds !== undefined && gracePeriodSeconds < 0 ? 1 : gracePeriodSeconds;
  const before = metadata.finalizers ?? [];
  const granted = metadata.deletionGracePeriodSeconds ?? 0;
  const isPending = metadata.deletionTimestamp !== undefined && granted > 0;
  if (isPending) {
    const shortened = shorten(object, requested);
    if (shortened.do !== 'mark' || requested !== 0) return shortened;
    // No time is left: what remains are the finalizers.
    const finalizers = finalizersAfter(kind, before, options);
    return finalizers.length > 0 ? { do: 'mark', object: withMetadata(shortened.object, { finalizers }) } : REMOVE;
  }
  const finalizers = finalizersAfter(kind, before, options);
  const isMarked = metadata.deletionTimestamp !== undefined;
  const seconds = isMarked ? 0 : kind.gracePeriodSeconds(object, requested);
  if (seconds > 0) {
    const marked = withMetadata(object, {
      ...(before.length + finalizers.length > 0 && { finalizers }),
      deletionTimestamp: formatTime(nowMs + seconds * 1000),
      deletionGracePeriodSeconds: seconds,
      ...nextGeneration(metadata),
    });
    return { do: 'mark', object: marked };
  }
  if (finalizers.length === 0) return REMOVE;
  if (isMarked && sameSet(before, finalizers)) return NOTHING;
  return { do: 'mark', object: markFinalizing(object, finalizers, nowMs) };
}

/** Namespaces are emptied first, by a controller that then takes its finalizer out of the spec. */
export function decideNamespaceDeletion(
  kind: Kind,
  namespace: DeepReadonly<Namespace>,
  options: DeleteOptions,
  nowMs: number,
): Deletion {
  const { metadata, spec, status } = namespace;
  if (metadata.deletionTimestamp !== undefined) {
    if ((spec.finalizers?.length ?? 0) > 0) return NOTHING;
    return decideDeletion(kind, namespace as DeepReadonly<KubeObject>, options, nowMs);
  }
  const finalizers = finalizersAfter(kind, metadata.finalizers ?? [], options);
  const marked = withMetadata(namespace as DeepReadonly<KubeObject>, {
    deletionTimestamp: formatTime(nowMs),
    ...(finalizers.length > 0 && { finalizers }),
    ...nextGeneration(metadata),
  });
  return { do: 'mark', object: { ...marked, status: { ...status, phase: 'Terminating' } } as KubeObject };
}
