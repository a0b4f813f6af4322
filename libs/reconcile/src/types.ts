import type { Kind } from '@periplus/api';
import type { DeepReadonly, KubeObject } from '@periplus/apimachinery';
import type { Index, View } from '@periplus/cache';
import type { Command } from '@periplus/client';

/** What a reconciler is asked about: one object of the controller's kind. */
export interface ObjectRef {
  namespace: string;
  name: string;
}

export interface Plan {
  /** Sent in this order; those of one step go out together, the next step waits for their outcome. */
  steps: readonly (readonly Command[])[];
  /** Look again after this time even if nothing changes. */
  lookAgainMs?: number;
  /** Kubernetes Events to record about the object. */
  events?: readonly PlannedEvent[];
}

export interface PlannedEvent {
  about: DeepReadonly<KubeObject>;
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
}

/** Another kind whose changes wake this controller, and for which keys. */
export interface WatchRule<T extends KubeObject = KubeObject> {
  kind: Kind<T>;
  /** Called with the old and the new state of a changed object; null where there is none. */
  keys(now: DeepReadonly<T> | null, old: DeepReadonly<T> | null, view: View): readonly ObjectRef[];
}

/** A controller is data: a test can read it and a page can list it. */
export interface Controller<T extends KubeObject = KubeObject> {
  name: string;
  for: Kind<T>;
  /** Kinds whose objects have a controller reference to `for`; a change wakes that owner. */
  owns: readonly Kind[];
  watches: readonly WatchRule[];
  indexes: readonly Index[];
  /** True: `alive` of a node changing wakes the key of that node's name. */
  watchesLiveness?: boolean;
  /** Synchronous, pure, correct from any start; the clock is `view.nowMs`. */
  reconcile(ref: ObjectRef, view: View): Plan;
}
