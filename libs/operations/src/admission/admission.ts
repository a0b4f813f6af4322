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
  admit(request: AdmissionRequest): void | Promise<void>;
}

/** The 403 of an admission controller. */
export const refused = ({ target, name }: AdmissionRequest, why: string): StatusError =>
  forbidden(namedResource(target.kind), name || 'Unknown', why);

/** Runs the admission controllers that have something to say, in the order of the list. */
export class AdmissionChain {
  private readonly all: readonly Admission[];
  private readonly chosen = new Map<string, readonly Admission[]>();

  constructor(all: readonly Admission[]) {
    this.all = all;
  }

  /** A promise only when one of them must wait for something. */
  admit(request: AdmissionRequest): void | Promise<void> {
    const chosen = this.of(request.target, request.operation);
    for (let i = 0; i < chosen.length; i++) {
      const waiting = chosen[i]!.admit(request);
      if (waiting) return this.continue(request, chosen, i + 1, waiting);
    }
  }

  private async continue(
    request: AdmissionRequest,
    chosen: readonly Admission[],
    from: number,
    waiting: Promise<void>,
  ) {
    await waiting;
    for (let i = from; i < chosen.length; i++) await chosen[i]!.admit(request);
  }

  private of(target: Target, operation: AdmissionRequest['operation']): readonly Admission[] {
    const { group, version, plural } = target.kind;
    const id = `${group}/${version}/${plural}/${target.subresource} ${operation}`;
    let chosen = this.chosen.get(id);
    if (!chosen) {
      chosen = this.all.filter((admission) => admission.handles(target, operation));
      this.chosen.set(id, chosen);
    }
    return chosen;
  }
}
