import { type Kind, pod } from '@periplus/api';
import { controllerOf, type DeepReadonly, type KubeObject, type LabelSelector } from '@periplus/apimachinery';
import type { Index } from '@periplus/cache';
import { type WatchRule, watchRule } from '@periplus/reconcile';
import { selectorOf } from './selectors.ts';

/** Objects of a kind that nobody controls, by namespace. */
export const orphansOf = <T extends KubeObject>(kind: Kind<T>): Index<T> => ({
  name: `orphan-${kind.plural}`,
  kind,
  keys: (object) => (controllerOf(object) ? [] : [object.metadata.namespace ?? '']),
});

export const orphanPods = orphansOf(pod);

type Selecting = KubeObject & { spec: { selector?: LabelSelector } };

/** Wakes the owners that select an object of `kind` that nobody controls. */
export const adoptionRule = <T extends KubeObject, Owner extends Selecting>(
  kind: Kind<T>,
  ownerKind: Kind<Owner>,
): WatchRule =>
  watchRule(kind, (object, _old, view) => {
    if (!object || controllerOf(object)) return [];
    const { namespace = '', labels } = object.metadata;
    return view
      .list(ownerKind, namespace)
      .filter(({ spec }) => selectorOf(spec.selector as DeepReadonly<LabelSelector>).matches(labels))
      .map(({ metadata }) => ({ namespace, name: metadata.name ?? '' }));
  });
