import type { DeepReadonly, KubeObject } from '@periplus/apimachinery';
import { forbidden, type StatusError } from '@periplus/apimachinery';
import { namedResource } from '../cluster-state.ts';
import type { RequestContext, Target } from '../types.ts';

/** A change that is asked for, as admission sees it. https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/ */
export interface AdmissionRequest {
  readonly operation: 'create' | 'update' | 'delete';
  readonly context: RequestContext;
  readonly target: Target;
  /** '' where it is not known yet. */
  readonly name: string;
  /** What is asked for, which mutating admission changes in place; null for a deletion. */
  readonly object: KubeObject | null;
  /** What stands now; null for a create. In the form of the target's kind. */
  readonly old: DeepReadonly<KubeObject> | null;
}

/** One admission controller. It throws StatusError to refuse. */
export interface Admission {
  readonly name: string;
  /** Whether it has something to say about requests of this kind and operation; asked once for each and remembered. */
  handles(target: Pick<Target, 'kind' | 'subresource'>, operation: AdmissionRequest['operation']): boolean;
  /** Before defaults that depend on it are final and before validation: may change the object, and refuse it. */
  admit?(request: AdmissionRequest): void | Promise<void>;
  /** Last, on what would be stored: may only refuse it, or warn. */
  review?(request: AdmissionRequest): void | Promise<void>;
}

type Phase = 'admit' | 'review';

/** The 403 of an admission controller. */
export const refused = ({ target, name }: AdmissionRequest, why: string): StatusError =>
  forbidden(namedResource(target.kind), name || 'Unknown', why);

/** Runs the admission controllers that have something to say, in the order of the list. */
export class AdmissionChain {
  private readonly all: readonly Admission[];
  private readonly chosen = {
    admit: new Map<string, readonly Admission[]>(),
    review: new Map<string, readonly Admission[]>(),
  };

  constructor(all: readonly Admission[]) {
    this.all = all;
  }

  /** Mutating admission. A promise only when one of them must wait for something. */
  admit(request: AdmissionRequest): void | Promise<void> {
    return this.run(request, 'admit');
  }

  /** Validating admission, after the object itself was validated. A promise as above. */
  review(request: AdmissionRequest): void | Promise<void> {
    return this.run(request, 'review');
  }

  private run(request: AdmissionRequest, phase: Phase): void | Promise<void> {
    const chosen = this.of(request.target, request.operation, phase);
    for (let i = 0; i < chosen.length; i++) {
      const waiting = chosen[i]![phase]!(request);
      if (waiting) return this.continue(request, phase, chosen.slice(i + 1), waiting);
    }
  }

  private async continue(
    request: AdmissionRequest,
    phase: Phase,
    rest: readonly Admission[],
    waiting: Promise<void>,
  ): Promise<void> {
    await waiting;
    for (const admission of rest) await admission[phase]!(request);
  }

  private of(target: Target, operation: AdmissionRequest['operation'], phase: Phase): readonly Admission[] {
    const { group, version, plural } = target.kind;
    const id = `${group}/${version}/${plural}/${target.subresource} ${operation}`;
    let chosen = this.chosen[phase].get(id);
    if (!chosen) {
      chosen = this.all.filter((admission) => admission[phase] && admission.handles(target, operation));
      this.chosen[phase].set(id, chosen);
    }
    return chosen;
  }
}
