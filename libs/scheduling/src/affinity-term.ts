import type { Pod } from '@periplus/api';
import {
  compileLabelSelector,
  type DeepReadonly,
  type LabelSelector,
  type Labels,
  Selector,
} from '@periplus/apimachinery';

type PodAffinity = NonNullable<NonNullable<DeepReadonly<Pod>['spec']['affinity']>['podAffinity']>;
type TermOfPod = NonNullable<PodAffinity['requiredDuringSchedulingIgnoredDuringExecution']>[number];

/** What a term may ask of a pod. */
interface Candidate {
  readonly namespace: string;
  readonly labels: Labels | undefined;
}

/** The labels of namespaces by name. */
export type NamespaceLabels = ReadonlyMap<string, Labels>;

/** `keys` of the pod's own labels narrow the selector to pods that have the same values, or other ones. */
function ownValues(keys: readonly string[] | undefined, labels: Labels | undefined, operator: 'in' | 'notin') {
  const known = (keys ?? []).filter((key) => labels?.[key] !== undefined);
  return known.map((key) => ({ key, operator, values: [labels![key]!] }));
}

/** A label selector, narrowed by matchLabelKeys and the like. What selects nothing goes on doing so. */
export function narrowedSelector(
  selector: DeepReadonly<LabelSelector> | undefined,
  labels: Labels | undefined,
  { matchLabelKeys, mismatchLabelKeys }: { matchLabelKeys?: readonly string[]; mismatchLabelKeys?: readonly string[] },
): Selector {
  const compiled = compileLabelSelector(selector);
  const narrowing = [...ownValues(matchLabelKeys, labels, 'in'), ...ownValues(mismatchLabelKeys, labels, 'notin')];
  if (narrowing.length === 0 || compiled.selectsNothing) return compiled;
  return new Selector([...compiled.requirements, ...narrowing]);
}

/**
 * Which pods a term of pod affinity is about, and within which part of the cluster.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity
 */
export class AffinityTerm {
  readonly topologyKey: string;
  /** The same text, the same pods in the same topology. */
  readonly text: string;
  private readonly selector: Selector;
  private readonly namespaces: ReadonlySet<string>;
  private readonly namespaceSelector: Selector | null;

  constructor(term: TermOfPod, { namespace, labels }: DeepReadonly<Pod>['metadata']) {
    this.topologyKey = term.topologyKey;
    this.selector = narrowedSelector(term.labelSelector, labels, term);
    const named = term.namespaces ?? [];
    // Without either, the pod's own namespace is meant.
    this.namespaces = new Set(named.length === 0 && !term.namespaceSelector ? [namespace!] : named);
    this.namespaceSelector = term.namespaceSelector ? compileLabelSelector(term.namespaceSelector) : null;
    this.text = JSON.stringify([
      term.topologyKey,
      this.selector.selectsNothing ? null : this.selector.text,
      [...this.namespaces],
      this.namespaceSelector?.text,
    ]);
  }

  matches({ namespace, labels }: Candidate, namespaces: NamespaceLabels): boolean {
    const within = this.namespaces.has(namespace) || this.namespaceSelector?.matches(namespaces.get(namespace));
    return within === true && this.selector.matches(labels);
  }
}
