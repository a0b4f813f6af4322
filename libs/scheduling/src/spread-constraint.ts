import type { Pod } from '@periplus/api';
import { compileLabelSelector, type DeepReadonly, type Selector } from '@periplus/apimachinery';

export type ConstraintOfPod = NonNullable<DeepReadonly<Pod>['spec']['topologySpreadConstraints']>[number];

/** A topology spread constraint with what it leaves open filled in. */
export interface SpreadConstraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly minDomains: number;
  readonly selector: Selector;
  /** Pods count only on nodes that the pod's nodeSelector and node affinity allow. */
  readonly honorsAffinity: boolean;
  /** Pods count only on nodes whose taints the pod tolerates. */
  readonly honorsTaints: boolean;
}

/** https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/ */
export interface SpreadConstraints {
  /** `DoNotSchedule`. */
  readonly hard: readonly SpreadConstraint[];
  /** `ScheduleAnyway`. */
  readonly soft: readonly SpreadConstraint[];
}

/** `selector` takes the place of what the constraints select, which default constraints leave open. */
export function spreadConstraints(
  constraints: readonly ConstraintOfPod[] | undefined,
  selector?: Selector,
): SpreadConstraints {
  const hard: SpreadConstraint[] = [];
  const soft: SpreadConstraint[] = [];
  for (const constraint of constraints ?? []) {
    (constraint.whenUnsatisfiable === 'DoNotSchedule' ? hard : soft).push({
      topologyKey: constraint.topologyKey,
      maxSkew: constraint.maxSkew,
      minDomains: constraint.minDomains ?? 1,
      selector: selector ?? compileLabelSelector(constraint.labelSelector),
      honorsAffinity: constraint.nodeAffinityPolicy !== 'Ignore',
      honorsTaints: constraint.nodeTaintsPolicy === 'Honor',
    });
  }
  return { hard, soft };
}
