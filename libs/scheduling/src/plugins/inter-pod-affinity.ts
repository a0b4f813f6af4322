import type { AffinityTerm, NamespaceLabels } from '../affinity-term.ts';
import type { NodeTable } from '../node-table.ts';
import type { Peer } from '../peer.ts';
import type { DynamicFilter, DynamicScore } from '../plugin.ts';
import type { Tally } from '../tally.ts';

const NO_COMPANY = ["node(s) didn't match pod affinity rules"];
const SHUNNED_COMPANY = ["node(s) didn't match pod anti-affinity rules"];
const SHUNNED_BY_OTHERS = ["node(s) didn't satisfy existing pods anti-affinity rules"];

const matchesAll = (terms: readonly AffinityTerm[], peer: Peer, namespaces: NamespaceLabels): boolean =>
  terms.every((term) => term.matches(peer, namespaces));

const topologyKeys = (terms: readonly AffinityTerm[]): Set<string> =>
  new Set(terms.map(({ topologyKey }) => topologyKey));

/** The same text, the same pods, for whichever peer. */
const textOf = (terms: readonly AffinityTerm[]): string => terms.map(({ text }) => text).join(' ');

/** Pods that the peer requires to have around: ones that all of its terms mean. A tally for each of their topologies. */
function wantedCompany(peer: Peer, { tallies }: NodeTable): Tally[] {
  const { requiredAffinity: terms } = peer;
  const text = textOf(terms);
  return [...topologyKeys(terms)].map((topologyKey) =>
    tallies.get(`wanted ${topologyKey} ${text}`, () => ({
      topologyKey,
      weigh: (other) => (matchesAll(terms, other, tallies.namespaceLabels) ? 1 : 0),
    })),
  );
}

/** Pods that the peer requires not to have around. */
function shunnedCompany(peer: Peer, { tallies }: NodeTable): Tally[] {
  return [...topologyKeys(peer.requiredAntiAffinity)].map((topologyKey) =>
    tallies.get(`shunned ${topologyKey} ${textOf(peer.requiredAntiAffinity)}`, () => {
      const terms = peer.requiredAntiAffinity.filter((term) => term.topologyKey === topologyKey);
      return { topologyKey, weigh: (other) => countMatching(terms, other, tallies.namespaceLabels) };
    }),
  );
}

/** Pods that require not to have the peer around. */
function shunnedBy(peer: Peer, { tallies }: NodeTable): Tally[] {
  if (!tallies.anyShuns) return [];
  return [...tallies.termKeys].map((topologyKey) =>
    tallies.get(`shunned by ${topologyKey} ${peer.text}`, () => ({
      topologyKey,
      weigh: ({ requiredAntiAffinity }) => {
        const terms = requiredAntiAffinity.filter((term) => term.topologyKey === topologyKey);
        return countMatching(terms, peer, tallies.namespaceLabels);
      },
    })),
  );
}

const countMatching = (terms: readonly AffinityTerm[], peer: Peer, namespaces: NamespaceLabels): number =>
  terms.filter((term) => term.matches(peer, namespaces)).length;

/**
 * Required pod affinity and anti-affinity, also of the pods that are there already.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity
 */
export const interPodAffinity: DynamicFilter = {
  name: 'InterPodAffinity',
  wakesOn: ['NodeAdded', 'NodeRemoved', 'NodeLabels', 'PodGone', 'PodPlaced'],
  prepare({ peer }, table) {
    const wanted = wantedCompany(peer, table);
    const shunned = shunnedCompany(peer, table);
    const others = shunnedBy(peer, table).filter(({ total }) => total > 0);
    if (wanted.length === 0 && shunned.length === 0 && others.length === 0) return null;
    // The first of a group that seeks its own company has to be let in somewhere.
    const isFirst =
      wanted.every(({ total }) => total === 0) &&
      matchesAll(peer.requiredAffinity, peer, table.tallies.namespaceLabels);
    return (slot) => {
      for (const tally of wanted) {
        if (tally.domain(slot) < 0 || (tally.around(slot) === 0 && !isFirst)) return NO_COMPANY;
      }
      for (const tally of shunned) if (tally.around(slot) > 0) return SHUNNED_COMPANY;
      for (const tally of others) if (tally.around(slot) > 0) return SHUNNED_BY_OTHERS;
      return null;
    };
  },
  reaches({ peer }, { peer: changed }, { tallies }) {
    const { requiredAffinity, requiredAntiAffinity } = peer;
    if (changed === null) return requiredAffinity.length + requiredAntiAffinity.length > 0 || tallies.anyShuns;
    const namespaces = tallies.namespaceLabels;
    return (
      [...requiredAffinity, ...requiredAntiAffinity].some((term) => term.matches(changed, namespaces)) ||
      changed.requiredAntiAffinity.some((term) => term.matches(peer, namespaces))
    );
  },
};

/** What the peer's preferences, and the others' ones for it, make of having the other one around. */
function sympathy(
  peer: Peer,
  other: Peer,
  topologyKey: string,
  hardWeight: number,
  namespaces: NamespaceLabels,
): number {
  let sum = 0;
  for (const { term, weight } of peer.preferences) {
    if (term.topologyKey === topologyKey && term.matches(other, namespaces)) sum += weight;
  }
  for (const { term, weight } of other.preferences) {
    if (term.topologyKey === topologyKey && term.matches(peer, namespaces)) sum += weight;
  }
  if (hardWeight === 0) return sum;
  for (const term of other.requiredAffinity) {
    if (term.topologyKey === topologyKey && term.matches(peer, namespaces)) sum += hardWeight;
  }
  return sum;
}

/**
 * Preferred pod affinity and anti-affinity, of both sides; a pod that requires others' company counts as preferring it
 * with `hardWeight`. With `ignoresOthers`, what others prefer does not matter to pods that prefer nothing themselves.
 */
export const preferredPodAffinity = (hardWeight: number, ignoresOthers: boolean): DynamicScore => ({
  name: 'InterPodAffinity',
  score({ peer }, table, slots, count, scores) {
    if (ignoresOthers && peer.preferences.length === 0) return false;
    const { tallies } = table;
    const keys = new Set(tallies.termKeys);
    for (const { term } of peer.preferences) keys.add(term.topologyKey);
    if (keys.size === 0) return false;
    const sums = [...keys].map((topologyKey) =>
      tallies.get(`sympathy ${hardWeight} ${topologyKey} ${peer.text}`, () => ({
        topologyKey,
        weigh: (other) => sympathy(peer, other, topologyKey, hardWeight, tallies.namespaceLabels),
      })),
    );
    let [lowest, highest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let at = 0; at < count; at += 1) {
      let sum = 0;
      for (const tally of sums) sum += tally.around(slots[at]!);
      scores[at] = sum;
      lowest = Math.min(lowest, sum);
      highest = Math.max(highest, sum);
    }
    if (highest === lowest) return false;
    const range = highest - lowest;
    for (let at = 0; at < count; at += 1) scores[at] = Math.trunc(100 * ((scores[at]! - lowest) / range));
    return true;
  },
});
