import type { Pod } from '@periplus/api';
import type { DeepReadonly, Labels } from '@periplus/apimachinery';
import { AffinityTerm } from './affinity-term.ts';

/** A preference for, or with a negative weight against, the company of pods. */
interface WeightedTerm {
  readonly term: AffinityTerm;
  readonly weight: number;
}

/** What a pod is to other pods: what they may select it by, and whose company it seeks or shuns. */
export interface Peer {
  /** The same text, the same peer. */
  readonly text: string;
  readonly namespace: string;
  readonly labels: Labels | undefined;
  /** It is being deleted: it does not count any more where pods are spread. */
  readonly leaving: boolean;
  readonly requiredAffinity: readonly AffinityTerm[];
  readonly requiredAntiAffinity: readonly AffinityTerm[];
  readonly preferences: readonly WeightedTerm[];
}

export const peerText = ({ metadata, spec: { affinity } }: DeepReadonly<Pod>): string =>
  JSON.stringify([
    metadata.namespace,
    metadata.labels,
    affinity?.podAffinity,
    affinity?.podAntiAffinity,
    metadata.deletionTimestamp !== undefined,
  ]);

/** As most pods are; shared by them. */
const WITHOUT_TERMS = { requiredAffinity: [], requiredAntiAffinity: [], preferences: [] };

export function peerOf({ metadata, spec: { affinity } }: DeepReadonly<Pod>, text: string): Peer {
  const { podAffinity, podAntiAffinity } = affinity ?? {};
  const itself = {
    text,
    namespace: metadata.namespace!,
    labels: metadata.labels,
    leaving: metadata.deletionTimestamp !== undefined,
  };
  if (!podAffinity && !podAntiAffinity) return { ...itself, ...WITHOUT_TERMS };
  const compile = (term: ConstructorParameters<typeof AffinityTerm>[0]) => new AffinityTerm(term, itself.namespace);
  const weighted = (
    sign: 1 | -1,
    terms: NonNullable<typeof podAffinity>['preferredDuringSchedulingIgnoredDuringExecution'],
  ) => (terms ?? []).map(({ podAffinityTerm, weight }) => ({ term: compile(podAffinityTerm), weight: sign * weight }));
  return {
    ...itself,
    requiredAffinity: (podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(compile),
    requiredAntiAffinity: (podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(compile),
    preferences: [
      ...weighted(1, podAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
      ...weighted(-1, podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    ],
  };
}
