/** Which nodes a pod asks for. https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/ */
import type { DeepReadonly } from '@periplus/apimachinery';
import type { Node } from './node.ts';
import type { Pod } from './pod.ts';

type PodSpec = DeepReadonly<Pod>['spec'];
export type NodeAffinity = NonNullable<PodSpec['affinity']>['nodeAffinity'];
type Required = NonNullable<NonNullable<NodeAffinity>['requiredDuringSchedulingIgnoredDuringExecution']>;
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

/** Whether the node has what the pod's nodeSelector asks for. */
export function matchesNodeSelector(selector: PodSpec['nodeSelector'], node: DeepReadonly<Node>): boolean {
  for (const key in selector) if (labelOf(node, key) !== selector[key]) return false;
  return true;
}

/** Whether the node has what the required node affinity asks for: one of its terms is enough. */
export function matchesRequired(affinity: NodeAffinity, node: DeepReadonly<Node>): boolean {
  const required = affinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return !required || required.nodeSelectorTerms.some((term) => matchesTerm(node, term));
}

/** The sum of the weights of the preferences that the node meets. An empty preference counts for nothing. */
export function preferredWeight(affinity: NodeAffinity, node: DeepReadonly<Node>): number {
  let sum = 0;
  for (const { weight, preference } of affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []) {
    if (matchesTerm(node, preference)) sum += weight;
  }
  return sum;
}

/** The names that a term asks for; null when it leaves them open. */
function namesOf({ matchFields = [] }: Term): readonly string[] | null {
  const lists = matchFields
    .filter(({ key, operator }) => key === 'metadata.name' && operator === 'In')
    .map(({ values = [] }) => values);
  return lists[0]?.filter((name) => lists.every((list) => list.includes(name))) ?? null;
}

/** The only nodes that the required affinity allows, where every term names its own; null: it does not say. */
export function namedNodes(affinity: NodeAffinity): readonly string[] | null {
  const required = affinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (!required) return null;
  const named = new Set<string>();
  for (const term of required.nodeSelectorTerms) {
    const names = namesOf(term);
    if (names === null) return null;
    for (const name of names) named.add(name);
  }
  return [...named];
}
