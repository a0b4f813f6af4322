import type { Kind } from '@periplus/api';
import type { KubeObject } from '@periplus/apimachinery';
import type { Controller, Plan, WatchRule } from './types.ts';

type Definition<T extends KubeObject> = Pick<Controller<T>, 'name' | 'for' | 'reconcile'> &
  Partial<Omit<Controller<T>, 'name' | 'for' | 'reconcile'>>;

/** A controller with what it does not need left empty. */
export const defineController = <T extends KubeObject>(definition: Definition<T>): Controller<T> => ({
  owns: [],
  watches: [],
  indexes: [],
  watchesLiveness: false,
  restMs: 0,
  reportsAs: `${definition.name}-controller`,
  ...definition,
});

/** Gives the rule's functions the type of its kind. */
export const watchRule = <T extends KubeObject>(
  kind: Kind<T>,
  keys: WatchRule<T>['keys'],
  concerns?: WatchRule['concerns'],
): WatchRule => ({ kind, keys: keys as WatchRule['keys'], concerns });

/** Nothing to do until something changes. */
export const idle: Plan = { steps: [] };
