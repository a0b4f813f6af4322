import type { Node, Pod } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';

type Affinity = NonNullable<NonNullable<DeepReadonly<Pod>['spec']['affinity']>['nodeAffinity']>;
type Required = NonNullable<Affinity['requiredDuringSchedulingIgnoredDuringExecution']>;
type Term = Required['nodeSelectorTerms'][number];
type Requirement = NonNullable<Term['matchExpressions']>[number];

/** Whole numbers as Go's ParseInt takes them; Gt and Lt never match anything else. */
const WHOLE_NUMBER = /^[+-]?\d{1,18}$/;

/** https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#operators */
function meets(value: string | undefined, { operator, values = [] }: Requirement): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
    case 'Lt': {
      const bound = values[0] ?? '';
      if (value === undefined || !WHOLE_NUMBER.test(value) || !WHOLE_NUMBER.test(bound)) return false;
      return operator === 'Gt' ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound);
    }
    default:
      return false;
  }
}

const labelOf = (node: DeepReadonly<Node>, key: string): string | undefined => {
  const labels = node.metadata.labels;
  return labels && Object.hasOwn(labels, key) ? labels[key] : undefined;
};

/** A term without requirements matches nothing. */
function matchesTerm(node: DeepReadonly<Node>, { matchExpressions = [], matchFields = [] }: Term): boolean {
  if (matchExpressions.length === 0 && matchFields.length === 0) return false;
  return (
    matchExpressions.every((requirement) => meets(labelOf(node, requirement.key), requirement)) &&
    matchFields.every((requirement) => requirement.key === 'metadata.name' && meets(node.metadata.name, requirement))
  );
}

/** Whether the node has what the pod's nodeSelector and required node affinity ask for. */
export function matchesNodeAffinity({ spec }: DeepReadonly<Pod>, node: DeepReadonly<Node>): boolean {
  for (const key in spec.nodeSelector) if (labelOf(node, key) !== spec.nodeSelector[key]) return false;
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return !required || required.nodeSelectorTerms.some((term) => matchesTerm(node, term));
}

/** The sum of the weights of the preferences that the node meets. An empty preference matches everything. */
export function preferredAffinity({ spec }: DeepReadonly<Pod>, node: DeepReadonly<Node>): number {
  let sum = 0;
  for (const { weight, preference } of spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ??
    []) {
    const empty = !preference.matchExpressions?.length && !preference.matchFields?.length;
    if (empty || matchesTerm(node, preference)) sum += weight;
  }
  return sum;
}
