import type { Kind } from '@periplus/api';
import { parseApiVersion, type ResourceKey } from '@periplus/apimachinery';
import type { Change, Entry, View } from '@periplus/cache';
import type { CommandCause } from '@periplus/client';
import type { Controller, ObjectRef } from './types.ts';

/**
 * How much a change explains what a reconciler does next. A new spec of the object explains more than a pod that
 * came or went, and that more than a status that moved.
 */
export const CAUSE_RANK = { intent: 3, appeared: 2, moved: 1 } as const;

/** Puts a key in a controller's queue. */
export type Wake = (ref: ObjectRef, cause: CommandCause, rank: number) => void;
/** Finds the keys that a change wakes. */
type Route = (change: Change, view: View, wake: (ref: ObjectRef) => void) => void;

export const registryKey = ({ group, resource, namespace, name }: ResourceKey): string =>
  `${group || 'core'}/${resource}/${namespace ? `${namespace}/` : ''}${name}`;

/** What changes are told apart by. */
export const resourceOf = (of: { group: string; resource: string }): string => `${of.group}/${of.resource}`;
const resourceOfKind = (kind: Kind): string => resourceOf({ group: kind.group, resource: kind.plural });

const refOf = ({ key }: Entry): ObjectRef => ({ namespace: key.namespace, name: key.name });

/** The object of `kind` that controls that of `entry`. */
const ownerOf = (kind: Kind, entry: Entry | null): ObjectRef | undefined => {
  const owner = entry?.owners.find(({ controller }) => controller);
  if (owner?.kind !== kind.kind || parseApiVersion(owner.apiVersion)?.group !== kind.group) return undefined;
  return { namespace: kind.namespaced ? (entry?.key.namespace ?? '') : '', name: owner.name };
};

const ownerRoute =
  (kind: Kind): Route =>
  (change, _view, wake) => {
    const { entry, previous } = change;
    const now = ownerOf(kind, entry);
    const before = ownerOf(kind, previous);
    if (now) wake(now);
    if (before && before.name !== now?.name) wake(before);
  };

const rankOf = (change: Change, isOwnKind: boolean): number => {
  if (change.type !== 'modified') return isOwnKind ? CAUSE_RANK.intent : CAUSE_RANK.appeared;
  if (!isOwnKind) return CAUSE_RANK.moved;
  const { entry, previous } = change;
  const now = entry.object.metadata;
  const before = previous?.object.metadata;
  const intended = now.generation !== before?.generation || now.deletionTimestamp !== before?.deletionTimestamp;
  return intended ? CAUSE_RANK.intent : CAUSE_RANK.moved;
};

/** Routes of one controller, by the resource whose changes they look at. Made once, when the runtime starts. */
export class ChangeRouting {
  private readonly controller: Controller;
  private readonly reconciler: string;
  private readonly routes = new Map<string, Route[]>();

  /** `reconciler` is how causes name this controller: "controller-manager/replicaset". */
  constructor(controller: Controller, reconciler: string) {
    this.controller = controller;
    this.reconciler = reconciler;
    const kind = controller.for;
    if (kind) {
      this.add(kind, ({ entry }, _view, wake) => wake(refOf(entry)));
      for (const owned of controller.owns) this.add(owned, ownerRoute(kind));
    }
    for (const rule of controller.watches) {
      this.add(rule.kind, (change, view, wake) => {
        if (rule.concerns && !rule.concerns(change, view)) return;
        const { type, entry, previous } = change;
        const now = type === 'deleted' ? null : entry.object;
        const old = type === 'deleted' ? entry.object : (previous?.object ?? null);
        for (const ref of rule.keys(now, old, view)) wake(ref);
      });
    }
  }

  /** The resources that have a route, each once. */
  resources(): { group: string; resource: string }[] {
    const { for: kind, owns, watches } = this.controller;
    const kinds = new Set([...(kind ? [kind] : []), ...owns, ...watches.map((rule) => rule.kind)]);
    return [...kinds].map(({ group, plural }) => ({ group, resource: plural }));
  }

  /** Wakes whom a change of `resource` concerns. */
  dispatch(resource: string, change: Change, view: View, wake: Wake): void {
    for (const route of this.routes.get(resource) ?? [])
      route(change, view, (ref) => wake(ref, this.causeOf(change), this.rankOf(change)));
  }

  private causeOf({ entry: { key, resourceVersion } }: Change): CommandCause {
    return { key: registryKey(key), resourceVersion, reconciler: this.reconciler };
  }

  private rankOf(change: Change): number {
    const { for: kind } = this.controller;
    return rankOf(change, kind !== null && resourceOf(change.entry.key) === resourceOfKind(kind));
  }

  private add(kind: Kind, route: Route): void {
    const resource = resourceOfKind(kind);
    this.routes.set(resource, [...(this.routes.get(resource) ?? []), route]);
  }
}
