import { coreEvent, type Kind, type KindRegistry } from '@periplus/api';
import {
  type DeepReadonly,
  type KubeObject,
  type OwnerReference,
  parseApiVersion,
  type ResourceKey,
} from '@periplus/apimachinery';
import type { Change, Entry, View } from '@periplus/cache';
import type { Command } from '@periplus/client';
import {
  type Controller,
  defineController,
  idle,
  mentions,
  type ObjectRef,
  type Plan,
  watchRule,
} from '@periplus/reconcile';
import { disown } from '../ownership.ts';

type ObjectView = DeepReadonly<KubeObject>;
type Reference = DeepReadonly<OwnerReference>;

const FOREGROUND = 'foregroundDeletion';
const ORPHAN = 'orphan';

/** What objects have that go, or wait for others when they do. */
const MARKS = ['"finalizers"', '"deletionTimestamp"'];

/** Keys of this controller name objects of any kind: group and resource stand in front of the name. */
const refOf = ({ group, resource, namespace, name }: ResourceKey): ObjectRef => ({
  namespace,
  name: `${group}/${resource}/${name}`,
});

function keyOf({ namespace, name }: ObjectRef): ResourceKey {
  const [group = '', resource = '', ...rest] = name.split('/');
  return { group, resource, namespace, name: rest.join('/') };
}

const has = (object: ObjectView, finalizer: string): boolean =>
  object.metadata.finalizers?.includes(finalizer) ?? false;
/** It goes once those of its dependents that block it are gone. */
const waitsForDependents = (object: ObjectView): boolean =>
  object.metadata.deletionTimestamp !== undefined && has(object, FOREGROUND);

const sameReferences = (a: readonly Reference[] = [], b: readonly Reference[] = []): boolean =>
  a === b || JSON.stringify(a) === JSON.stringify(b);

/** How an object's owners stand. */
interface Owners {
  /** There, or not to be told: they keep the object. */
  solid: Reference[];
  /** Gone, or the name is another object's now. */
  absent: Reference[];
  /** On their way out and waiting for what they own. */
  waiting: Reference[];
}

/**
 * Deletes what has lost its owners, and carries out foreground and orphaning deletion. Since the view is the whole
 * cluster at one revision, an owner that is not in it is gone: no owner is younger than what it owns.
 * https://kubernetes.io/docs/concepts/architecture/garbage-collection/
 */
export function garbageCollector(kinds: KindRegistry): Controller {
  const stored = kinds.all().filter((kind) => kind.isStored && !kind.storedAs && kind !== coreEvent);
  const byKind = new Map(stored.map((kind) => [`${kind.group}/${kind.kind}`, kind]));

  const kindOfOwner = ({ apiVersion, kind }: Reference): Kind | undefined => {
    return byKind.get(`${parseApiVersion(apiVersion)?.group}/${kind}`);
  };

  /** The key under which an owner must be: it shares the namespace of what it owns, or has none. */
  const keyOfOwner = (reference: Reference, namespace: string): ResourceKey | undefined => {
    const kind = kindOfOwner(reference);
    if (!kind || (kind.namespaced && namespace === '')) return undefined;
    const { group, plural: resource } = kind;
    return { group, resource, namespace: kind.namespaced ? namespace : '', name: reference.name };
  };

  const ownersOf = (references: readonly Reference[], namespace: string, view: View): Owners => {
    const owners: Owners = { solid: [], absent: [], waiting: [] };
    for (const reference of references) {
      const key = keyOfOwner(reference, namespace);
      const owner = key && view.entry(key)?.object;
      if (!key) owners.solid.push(reference);
      else if (owner?.metadata.uid !== reference.uid) owners.absent.push(reference);
      else if (waitsForDependents(owner)) owners.waiting.push(reference);
      else owners.solid.push(reference);
    }
    return owners;
  };

  /** Most objects come with an owner that is there, and need no look: when it goes, that wakes them. */
  const hasLostOwners = ({ owners, key }: Entry, view: View): boolean => {
    const { absent, waiting } = ownersOf(owners, key.namespace, view);
    return absent.length + waiting.length > 0;
  };

  const concerns = (change: Change, view: View): boolean => {
    const { type, entry, previous } = change;
    if (type === 'deleted' || mentions(change, ...MARKS)) return true;
    return previous ? !sameReferences(entry.owners, previous.owners) : hasLostOwners(entry, view);
  };

  const kindOf = ({ group, resource }: ResourceKey): Kind | undefined => kinds.storageKind(group, resource);

  const ownerRefs = (object: ObjectView): ObjectRef[] =>
    (object.metadata.ownerReferences ?? []).flatMap((reference) => {
      const key = keyOfOwner(reference, object.metadata.namespace ?? '');
      return key ? [refOf(key)] : [];
    });

  /** Which keys a change of an object of `kind` wakes. */
  const keysOf = (kind: Kind, now: ObjectView | null, old: ObjectView | null, view: View): ObjectRef[] => {
    const { namespace = '', name = '', uid = '' } = (now ?? old)?.metadata ?? {};
    const dependents = (): ObjectRef[] => view.dependents(uid).map((entry) => refOf(entry.key));
    if (!now) return old ? [...dependents(), ...ownerRefs(old)] : [];
    const self = refOf({ group: kind.group, resource: kind.plural, namespace, name });
    if (!old) return [self];
    const isMoving = now.metadata.deletionTimestamp !== old.metadata.deletionTimestamp;
    const keys: ObjectRef[] = [];
    if (isMoving || now.metadata.finalizers?.length !== old.metadata.finalizers?.length) {
      keys.push(self);
      if (waitsForDependents(now)) keys.push(...dependents());
    }
    if (!sameReferences(now.metadata.ownerReferences, old.metadata.ownerReferences)) keys.push(self, ...ownerRefs(old));
    return keys;
  };

  return defineController({
    name: 'garbage-collector',
    for: null,
    watches: stored.map((kind) => watchRule(kind, (now, old, view) => keysOf(kind, now, old, view), concerns)),
    reconcile(ref, view) {
      const key = keyOf(ref);
      const entry = view.entry(key);
      const kind = kindOf(key);
      return entry && kind ? planFor(kind, entry, view) : idle;
    },
  });

  function planFor(kind: Kind, { object, resourceVersion }: Entry, view: View): Plan {
    const { metadata } = object;
    if (metadata.deletionTimestamp) {
      if (has(object, ORPHAN)) return orphanDependents(kind, object, view);
      return has(object, FOREGROUND) ? awaitDependents(kind, object, view) : idle;
    }
    const { solid, absent, waiting } = ownersOf(metadata.ownerReferences ?? [], metadata.namespace ?? '', view);
    if (absent.length + waiting.length === 0) return idle;
    if (solid.length > 0) {
      return { steps: [[disown(kind, object, new Set([...absent, ...waiting].map(({ uid }) => uid)))]] };
    }
    const dependents = waiting.length > 0 ? view.dependents(metadata.uid ?? '') : [];
    const deletion: Command = {
      ...target(kind, object),
      verb: 'delete',
      // Refused when it has been given another owner meanwhile.
      ifResourceVersion: resourceVersion,
      propagationPolicy: dependents.length > 0 ? 'Foreground' : policyOf(object),
    };
    // Two that wait for each other would wait for ever: the second one does not hold up the first.
    const isCycle = dependents.some((dependent) => waitsForDependents(dependent.object));
    if (isCycle && metadata.ownerReferences?.some(({ blockOwnerDeletion }) => blockOwnerDeletion)) {
      return { steps: [[unblockOwners(kind, object)]] };
    }
    return { steps: [[deletion]] };
  }

  /** Takes the owner from everything that names it, then lets it go. */
  function orphanDependents(kind: Kind, owner: ObjectView, view: View): Plan {
    const uids = new Set([owner.metadata.uid ?? '']);
    const orphans = view.dependents(owner.metadata.uid ?? '').flatMap(({ key, object }) => {
      const dependentKind = kindOf(key);
      return dependentKind ? [disown(dependentKind, object, uids)] : [];
    });
    return { steps: [...(orphans.length > 0 ? [orphans] : []), [withoutFinalizer(kind, owner, ORPHAN)]] };
  }

  /** Lets an owner go once no dependent blocks it. Their deletion is their own business: see `planFor`. */
  function awaitDependents(kind: Kind, owner: ObjectView, view: View): Plan {
    const { uid = '' } = owner.metadata;
    const isBlocking = ({ object }: Entry): boolean =>
      object.metadata.ownerReferences?.some((ref) => ref.uid === uid && ref.blockOwnerDeletion) ?? false;
    if (view.dependents(uid).some(isBlocking)) return idle;
    return { steps: [[withoutFinalizer(kind, owner, FOREGROUND)]] };
  }
}

const target = (kind: Kind, { metadata }: ObjectView) => ({
  kind,
  namespace: metadata.namespace ?? '',
  name: metadata.name ?? '',
  ifUid: metadata.uid,
});

/** A finalizer that is there already decides how what the object owns is treated. */
const policyOf = (object: ObjectView): 'Orphan' | 'Foreground' | 'Background' =>
  has(object, ORPHAN) ? 'Orphan' : has(object, FOREGROUND) ? 'Foreground' : 'Background';

const withoutFinalizer = (kind: Kind, object: ObjectView, finalizer: string): Command => {
  const finalizers = (object.metadata.finalizers ?? []).filter((name) => name !== finalizer);
  return {
    ...target(kind, object),
    verb: 'patch',
    ifResourceVersion: object.metadata.resourceVersion,
    type: 'merge',
    patch: { metadata: { finalizers: finalizers.length > 0 ? finalizers : null } },
  };
};

const unblockOwners = (kind: Kind, object: ObjectView): Command => ({
  ...target(kind, object),
  verb: 'patch',
  ifResourceVersion: object.metadata.resourceVersion,
  type: 'merge',
  patch: {
    metadata: {
      ownerReferences: object.metadata.ownerReferences?.map((reference) => ({
        ...reference,
        blockOwnerDeletion: false,
      })),
    },
  },
});
