/**
 * Pod affinity and topology spread, worked out from every pod and node each time it is asked: slow, and plain enough to
 * see that it is right. What the scheduler counts as it goes along is held against this.
 */
import { isTolerated, type Node, type Pod } from '@periplus/api';
import { compileLabelSelector, type Labels } from '@periplus/apimachinery';

export interface NaiveCluster {
  nodes: Node[];
  /** With their nodes, some of which may not be there. */
  pods: Pod[];
  namespaces: Record<string, Labels>;
}

type PodAffinity = NonNullable<NonNullable<Pod['spec']['affinity']>['podAffinity']>;
type Term = NonNullable<PodAffinity['requiredDuringSchedulingIgnoredDuringExecution']>[number];
type Constraint = NonNullable<Pod['spec']['topologySpreadConstraints']>[number];

const labelOf = (node: Node, key: string): string | undefined => node.metadata.labels?.[key];

function termMatches(term: Term, owner: Pod, other: Pod, { namespaces }: NaiveCluster): boolean {
  const own = !term.namespaces?.length && !term.namespaceSelector;
  const within =
    (own && other.metadata.namespace === owner.metadata.namespace) ||
    term.namespaces?.includes(other.metadata.namespace!) ||
    (term.namespaceSelector &&
      compileLabelSelector(term.namespaceSelector).matches(namespaces[other.metadata.namespace!]));
  const sameValue = (key: string) => owner.metadata.labels?.[key] === other.metadata.labels?.[key];
  const has = (key: string) => owner.metadata.labels?.[key] !== undefined;
  return (
    Boolean(within) &&
    compileLabelSelector(term.labelSelector).matches(other.metadata.labels) &&
    (term.matchLabelKeys ?? []).filter(has).every(sameValue) &&
    !(term.mismatchLabelKeys ?? []).filter(has).some(sameValue)
  );
}

const required = (pod: Pod, of: 'podAffinity' | 'podAntiAffinity'): Term[] =>
  pod.spec.affinity?.[of]?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
const preferred = (pod: Pod, of: 'podAffinity' | 'podAntiAffinity') =>
  pod.spec.affinity?.[of]?.preferredDuringSchedulingIgnoredDuringExecution ?? [];

/** Every pod that is on a node, with that. */
const placed = ({ nodes, pods }: NaiveCluster): { other: Pod; at: Node }[] =>
  pods.flatMap((other) => {
    const at = nodes.find(({ metadata }) => metadata.name === other.spec.nodeName);
    return at ? [{ other, at }] : [];
  });

const sameDomain = (a: Node, b: Node, key: string): boolean =>
  labelOf(a, key) !== undefined && labelOf(a, key) === labelOf(b, key);

export function naiveAffinityRefusal(pod: Pod, node: Node, cluster: NaiveCluster): string | null {
  const around = placed(cluster);
  const terms = required(pod, 'podAffinity');
  const matchesAll = (other: Pod) => terms.every((term) => termMatches(term, pod, other, cluster));
  const company = around.filter(({ other }) => matchesAll(other));
  const isFirst =
    matchesAll(pod) && !company.some(({ at }) => terms.some((term) => labelOf(at, term.topologyKey) !== undefined));
  for (const { topologyKey } of terms) {
    const here = company.some(({ at }) => sameDomain(node, at, topologyKey));
    if (labelOf(node, topologyKey) === undefined || (!here && !isFirst))
      return "node(s) didn't match pod affinity rules";
  }
  for (const term of required(pod, 'podAntiAffinity')) {
    if (
      around.some(({ other, at }) => sameDomain(node, at, term.topologyKey) && termMatches(term, pod, other, cluster))
    ) {
      return "node(s) didn't match pod anti-affinity rules";
    }
  }
  for (const { other, at } of around) {
    for (const term of required(other, 'podAntiAffinity')) {
      if (sameDomain(node, at, term.topologyKey) && termMatches(term, other, pod, cluster)) {
        return "node(s) didn't satisfy existing pods anti-affinity rules";
      }
    }
  }
  return null;
}

/** Before it is brought to 0 to 100. */
export function naiveSympathy(pod: Pod, node: Node, cluster: NaiveCluster, hardWeight: number): number {
  let sum = 0;
  for (const { other, at } of placed(cluster)) {
    const add = (term: Term, owner: Pod, target: Pod, weight: number): void => {
      if (sameDomain(node, at, term.topologyKey) && termMatches(term, owner, target, cluster)) sum += weight;
    };
    for (const { podAffinityTerm, weight } of preferred(pod, 'podAffinity')) add(podAffinityTerm, pod, other, weight);
    for (const { podAffinityTerm, weight } of preferred(pod, 'podAntiAffinity'))
      add(podAffinityTerm, pod, other, -weight);
    for (const { podAffinityTerm, weight } of preferred(other, 'podAffinity')) add(podAffinityTerm, other, pod, weight);
    for (const { podAffinityTerm, weight } of preferred(other, 'podAntiAffinity')) {
      add(podAffinityTerm, other, pod, -weight);
    }
    for (const term of required(other, 'podAffinity')) add(term, other, pod, hardWeight);
  }
  return sum;
}

const selectorOf = ({ labelSelector, matchLabelKeys = [] }: Constraint, pod: Pod) => {
  const selector = compileLabelSelector(labelSelector);
  const keys = matchLabelKeys.filter((key) => pod.metadata.labels?.[key] !== undefined);
  return (other: Pod): boolean =>
    selector.matches(other.metadata.labels) &&
    keys.every((key) => other.metadata.labels?.[key] === pod.metadata.labels?.[key]);
};

function counts(constraint: Constraint, pod: Pod, node: Node): boolean {
  const { nodeAffinityPolicy = 'Honor', nodeTaintsPolicy = 'Ignore' } = constraint;
  const selected = Object.entries(pod.spec.nodeSelector ?? {}).every(([key, value]) => labelOf(node, key) === value);
  const tolerated = (node.spec.taints ?? []).every(
    (taint) => taint.effect === 'PreferNoSchedule' || isTolerated(taint, pod.spec.tolerations),
  );
  return (nodeAffinityPolicy === 'Ignore' || selected) && (nodeTaintsPolicy === 'Ignore' || tolerated);
}

const spreadOver = (pod: Pod, action: string): Constraint[] =>
  (pod.spec.topologySpreadConstraints ?? []).filter(({ whenUnsatisfiable }) => whenUnsatisfiable === action);

const countOn = (constraint: Constraint, pod: Pod, node: Node, { pods }: NaiveCluster): number =>
  pods.filter(
    (other) =>
      other.spec.nodeName === node.metadata.name &&
      other.metadata.namespace === pod.metadata.namespace &&
      other.metadata.deletionTimestamp === undefined &&
      selectorOf(constraint, pod)(other),
  ).length;

/** How many pods each domain of a constraint has. */
function domains(constraint: Constraint, all: Constraint[], pod: Pod, cluster: NaiveCluster): Map<string, number> {
  const byDomain = new Map<string, number>();
  for (const node of cluster.nodes) {
    if (all.some(({ topologyKey }) => labelOf(node, topologyKey) === undefined)) continue;
    if (!counts(constraint, pod, node)) continue;
    const domain = labelOf(node, constraint.topologyKey)!;
    byDomain.set(domain, (byDomain.get(domain) ?? 0) + countOn(constraint, pod, node, cluster));
  }
  return byDomain;
}

export function naiveSpreadRefusal(pod: Pod, node: Node, cluster: NaiveCluster): string | null {
  const hard = spreadOver(pod, 'DoNotSchedule');
  for (const constraint of hard) {
    const domain = labelOf(node, constraint.topologyKey);
    if (domain === undefined) return "node(s) didn't match pod topology spread constraints (missing required label)";
    const byDomain = domains(constraint, hard, pod, cluster);
    const fewest = byDomain.size < (constraint.minDomains ?? 1) ? 0 : Math.min(...byDomain.values());
    const itself = selectorOf(constraint, pod)(pod) ? 1 : 0;
    if ((byDomain.get(domain) ?? 0) + itself - fewest > constraint.maxSkew) {
      return "node(s) didn't match pod topology spread constraints";
    }
  }
  return null;
}

/** 0 to 100 for each of the nodes; null when nothing is asked. */
export function naiveSpreadScores(pod: Pod, nodes: Node[], cluster: NaiveCluster): number[] | null {
  const soft = spreadOver(pod, 'ScheduleAnyway');
  if (soft.length === 0) return null;
  const hasAll = (node: Node) => soft.every(({ topologyKey }) => labelOf(node, topologyKey) !== undefined);
  const candidates = nodes.filter(hasAll);
  const raw = (node: Node): number => {
    let sum = 0;
    for (const constraint of soft) {
      const { topologyKey: key, maxSkew } = constraint;
      const perNode = key === 'kubernetes.io/hostname';
      const size = perNode ? candidates.length : new Set(candidates.map((one) => labelOf(one, key))).size;
      const count = perNode
        ? countOn(constraint, pod, node, cluster)
        : (domains(constraint, soft, pod, cluster).get(labelOf(node, key)!) ?? 0);
      sum += count * Math.log(size + 2) + (maxSkew - 1);
    }
    return Math.round(sum);
  };
  const raws = candidates.map(raw);
  const [lowest, highest] = [Math.min(...raws), Math.max(0, ...raws)];
  return nodes.map((node) => {
    if (!hasAll(node)) return 0;
    return highest === 0 ? 100 : Math.floor((100 * (highest + lowest - raw(node))) / highest);
  });
}
