import { controllerRevision, type Kind, pod } from '@periplus/api';
import {
  controllerOf,
  type DeepReadonly,
  type KubeObject,
  type LabelSelector,
  type Selector,
} from '@periplus/apimachinery';
import type { Entry, Index } from '@periplus/cache';
import { type WatchRule, watchRule } from '@periplus/reconcile';
import { selectorOf } from './selectors.ts';

const isControlled = ({ owners }: Entry): boolean => owners.some(({ controller }) => controller);

/** Objects of a kind that nobody controls, by namespace. */
export const orphansOf = <T extends KubeObject>(kind: Kind<T>): Index<T> => ({
  name: `orphan-${kind.plural}`,
  kind,
  keys: (object) => (controllerOf(object) ? [] : [object.metadata.namespace ?? '']),
  candidates: (entry) => (isControlled(entry) ? [] : [entry.key.namespace]),
});

export const orphanPods = orphansOf(pod);
export const orphanRevisions = orphansOf(controllerRevision);

type Selecting = DeepReadonly<KubeObject & { spec: { selector?: LabelSelector } }>;

const ownSelector = (owner: DeepReadonly<KubeObject>): Selector => selectorOf((owner as Selecting).spec.selector);

/** Wakes the owners that select an object of `kind` that nobody controls. */
export const adoptionRule = <T extends KubeObject, Owner extends KubeObject>(
  kind: Kind<T>,
  ownerKind: Kind<Owner>,
  selector: (owner: DeepReadonly<Owner>) => Selector = ownSelector,
): WatchRule =>
  watchRule(
    kind,
    (object, _old, view) => {
      if (!object) return [];
      const { namespace = '', labels } = object.metadata;
      return view
        .list(ownerKind, namespace)
        .filter((owner) => selector(owner).matches(labels))
        .map(({ metadata }) => ({ namespace, name: metadata.name ?? '' }));
    },
    ({ entry }, view) => !isControlled(entry) && view.list(ownerKind, entry.key.namespace).length > 0,
  );
