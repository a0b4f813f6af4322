import type { Pod } from '@periplus/api';
import { compileLabelSelector, type DeepReadonly, type Labels, type Selector } from '@periplus/apimachinery';

type PodAffinity = NonNullable<NonNullable<DeepReadonly<Pod>['spec']['affinity']>['podAffinity']>;
type TermOfPod = NonNullable<PodAffinity['requiredDuringSchedulingIgnoredDuringExecution']>[number];

/** What a term may ask of a pod. */
interface Candidate {
  readonly namespace: string;
  readonly labels: Labels | undefined;
}

/** The labels of namespaces by name. */
export type NamespaceLabels = ReadonlyMap<string, Labels>;

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

  constructor(term: TermOfPod, namespace: string) {
    this.topologyKey = term.topologyKey;
    this.selector = compileLabelSelector(term.labelSelector);
    const named = term.namespaces ?? [];
    // Without either, the pod's own namespace is meant.
    this.namespaces = new Set(named.length === 0 && !term.namespaceSelector ? [namespace] : named);
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
