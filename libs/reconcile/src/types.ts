import type { Kind } from '@periplus/api';
import type { DeepReadonly, KubeObject, StatusError } from '@periplus/apimachinery';
import type { Change, Index, View } from '@periplus/cache';
import type { Command } from '@periplus/client';

/** What a reconciler is asked about: one object of the controller's kind, or what its rules named. */
export interface ObjectRef {
  namespace: string;
  name: string;
}

/** A command of a plan that the api-server refused. */
export interface Refusal {
  command: Command;
  error: StatusError;
}

/**
 * What a reconciler wants done. Each command must be safe to send twice, because one whose outcome is unknown is
 * sent again: a create under a name that the reconciler chose, a change with a precondition or with a merge patch.
 */
export interface Plan {
  /**
   * Sent in this order; those of one step go out together, the next step waits for their outcome and is left out
   * when one of them fails. Deleting what is gone already counts as done.
   */
  steps: readonly (readonly Command[])[];
  /** Look again after this time even if nothing changes. */
  lookAgainMs?: number;
  /** Kubernetes Events to record about the object. */
  events?: readonly PlannedEvent[];
  /** Asked when commands of a step were refused: what to send in place of the remaining steps. Pure. */
  onRefusal?(refusals: readonly Refusal[]): readonly Command[];
}

export interface PlannedEvent {
  about: DeepReadonly<KubeObject>;
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
  /** Recorded once this command of the plan is done; absent: once the whole plan is. */
  after?: Command;
  /** Recorded only when this command of the plan is refused; the error's message follows behind `: `. */
  onRefusalOf?: Command;
}

/** Another kind whose changes wake this controller, and for which keys. */
export interface WatchRule<T extends KubeObject = KubeObject> {
  kind: Kind<T>;
  /**
   * Whether a change may wake anybody at all, told without parsing the object, where that shows: most changes of most
   * pods concern few controllers, and to parse a pod for none of them would be most of what it costs. `keys` is not
   * called where this says no.
   */
  concerns?: ((change: Change, view: View) => boolean) | undefined;
  /** Called with the old and the new state of a changed object; null where there is none. */
  keys(now: DeepReadonly<T> | null, old: DeepReadonly<T> | null, view: View): readonly ObjectRef[];
}

/** A controller is data: a test can read it and a page can list it. */
export interface Controller<T extends KubeObject = KubeObject> {
  name: string;
  /** Every object of this kind is a key. Null: the keys are those of `watches` alone. */
  for: Kind<T> | null;
  /** Kinds whose objects have a controller reference to `for`; a change wakes that owner. */
  owns: readonly Kind[];
  watches: readonly WatchRule[];
  indexes: readonly Index[];
  /** True: `alive` of a node changing wakes the key of that node's name. */
  watchesLiveness: boolean;
  /**
   * How long a key that was looked at waits at least before it is looked at again: the first change is followed at
   * once, those behind it together. For reconciles that are dear or that many programs have to follow.
   */
  restMs: number;
  /** Where its events come from, as `kubectl describe` shows it: "replicaset-controller". */
  reportsAs: string;
  /** Synchronous, pure, correct from any start; the clock is `view.nowMs`. */
  reconcile(ref: ObjectRef, view: View): Plan;
}

/** What the runtime needs of a cache; `ClusterCache` is one. */
export interface ClusterSource {
  view(nowMs: number): View;
  /** Calls back after each revision that changed something, in order; the result ends it. */
  subscribe(listener: (revision: number, changes: readonly Change[]) => void): () => void;
  /** Resolves when everything up to `revision` is in the cache. */
  waitFor(revision: number, signal?: AbortSignal): Promise<void>;
  /** The newest revision, read linearizably. */
  current(): Promise<number>;
  /** Calls back once views show that a node's liveness key came or went. */
  subscribeLiveness(listener: (node: string, alive: boolean, revision: number) => void): () => void;
}
