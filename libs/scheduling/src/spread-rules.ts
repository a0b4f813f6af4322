import { matchesNodeSelector, matchesRequired } from '@periplus/api';
import type { NodeTable } from './node-table.ts';
import type { Peer } from './peer.ts';
import type { Constraints, PodShape } from './pod-shape.ts';
import {
  type ConstraintOfPod,
  type SpreadConstraint,
  type SpreadConstraints,
  spreadConstraints,
} from './spread-constraint.ts';
import { toleratesNode } from './taints.ts';
import type { Tally } from './tally.ts';

/** What spreads pods that ask for nothing themselves but belong to a Service or a controller. */
export interface SpreadDefaults {
  readonly constraints: readonly ConstraintOfPod[];
  /** Kubernetes' own ones, which nodes without a zone don't fall out of. */
  readonly areSystems: boolean;
}

/** https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/#internal-default-constraints */
export const SYSTEM_DEFAULTS: SpreadDefaults = {
  constraints: [
    { topologyKey: 'kubernetes.io/hostname', maxSkew: 3, whenUnsatisfiable: 'ScheduleAnyway' },
    { topologyKey: 'topology.kubernetes.io/zone', maxSkew: 5, whenUnsatisfiable: 'ScheduleAnyway' },
  ],
  areSystems: true,
};

const NONE: SpreadConstraints = { hard: [], soft: [] };

/** Which constraints hold for pods of a shape: their own ones, or else the defaults. */
export class SpreadRules {
  private readonly defaults: SpreadDefaults;
  /** Defaults follow from Services and controllers, until these change. */
  private readonly byDefault = new WeakMap<PodShape, { version: number; constraints: SpreadConstraints }>();

  constructor(defaults: SpreadDefaults) {
    this.defaults = defaults;
  }

  of(shape: PodShape, { workloads }: NodeTable): SpreadConstraints {
    if (shape.spread) return shape.spread;
    const known = this.byDefault.get(shape);
    if (known?.version === workloads.version) return known.constraints;
    const selector = this.defaults.constraints.length > 0 ? workloads.around(shape.peer, shape.controller) : null;
    const constraints = selector ? spreadConstraints(this.defaults.constraints, selector) : NONE;
    this.byDefault.set(shape, { version: workloads.version, constraints });
    return constraints;
  }

  /** Whether a node without one of the topology keys is left out altogether. */
  requiresEveryKey({ spread }: PodShape): boolean {
    return spread !== null || !this.defaults.areSystems;
  }
}

const includes = ({ honorsAffinity, honorsTaints }: SpreadConstraint, constraints: Constraints, table: NodeTable) => {
  const { nodeSelector, nodeAffinity, tolerations } = constraints;
  return (slot: number): boolean => {
    const node = table.nodes[slot]!;
    return (
      (!honorsAffinity || (matchesNodeSelector(nodeSelector, node) && matchesRequired(nodeAffinity, node))) &&
      (!honorsTaints || toleratesNode(tolerations, node))
    );
  };
};

/**
 * The pods of the shape's namespace that a constraint is about, by domain of its topology. Only nodes that have all
 * `keys`, and that the constraint's policies include, count.
 */
export function spreadTally(
  constraint: SpreadConstraint,
  keys: readonly string[],
  { peer: { namespace }, constraints }: PodShape,
  table: NodeTable,
): Tally {
  const { selector, topologyKey, honorsAffinity, honorsTaints } = constraint;
  const policies = `${honorsAffinity} ${honorsTaints} ${honorsAffinity || honorsTaints ? constraints.text : ''}`;
  const selected = selector.selectsNothing ? '-' : selector.text;
  return table.tallies.get(`spread ${topologyKey} ${keys} ${policies} ${namespace} ${selected}`, () => {
    const isIncluded = includes(constraint, constraints, table);
    const hasKeys = (slot: number): boolean =>
      keys.every((key) => table.nodes[slot]!.metadata.labels?.[key] !== undefined);
    return {
      topologyKey,
      weigh: (peer: Peer) => (peer.namespace === namespace && !peer.leaving && selector.matches(peer.labels) ? 1 : 0),
      includes: (slot) => hasKeys(slot) && isIncluded(slot),
    };
  });
}
