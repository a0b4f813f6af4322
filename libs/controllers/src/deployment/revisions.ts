/** Which ReplicaSet of a Deployment is the present one, and how revisions are told apart and numbered. */
import { type Deployment, type ReplicaSet, sameValue } from '@periplus/api';
import { type DeepReadonly, hashOf, type OwnerReference, parseTime } from '@periplus/apimachinery';

export type DeploymentView = DeepReadonly<Deployment>;
export type ReplicaSetView = DeepReadonly<ReplicaSet>;
type Template = DeploymentView['spec']['template'];
type Annotations = Readonly<Record<string, string>>;

/** https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#pod-template-hash-label */
const HASH_LABEL = 'pod-template-hash';
export const REVISION = 'deployment.kubernetes.io/revision';
const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';
/** Annotations of a Deployment that are not its ReplicaSets'. */
const OWN_ANNOTATIONS = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.deployment.rollback.to',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
]);
const HISTORY_LENGTH_MAX = 2_000;

const withoutHash = (template: Template | undefined): unknown => {
  const { [HASH_LABEL]: _, ...labels } = template?.metadata?.labels ?? {};
  return { ...template, metadata: { ...template?.metadata, labels } };
};

const isOfTemplate = ({ spec }: ReplicaSetView, template: Template): boolean =>
  sameValue(withoutHash(spec.template), withoutHash(template));

export const createdMs = ({ metadata }: ReplicaSetView): number => parseTime(metadata.creationTimestamp ?? '') ?? 0;
const oldestFirst = (a: ReplicaSetView, b: ReplicaSetView): number =>
  createdMs(a) - createdMs(b) || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1);

/** The set of the Deployment's template (the oldest, should there be several), and the others. */
export function splitSets(d: DeploymentView, sets: readonly ReplicaSetView[]) {
  const ordered = [...sets].sort(oldestFirst);
  const present = ordered.find((set) => isOfTemplate(set, d.spec.template));
  return { newSet: present, oldSets: ordered.filter((set) => set !== present) };
}

export function numberIn(annotations: Annotations | undefined, name: string): number | undefined {
  const text = annotations?.[name] ?? '';
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}

export const revisionOf = ({ metadata }: ReplicaSetView): number => numberIn(metadata.annotations, REVISION) ?? 0;

/** The revision of the present template: one more than that of any other. */
export const nextRevision = (oldSets: readonly ReplicaSetView[]): number => Math.max(0, ...oldSets.map(revisionOf)) + 1;

/** The revisions that a set has had before, the latest last, as long as they fit. */
function historyWith(annotations: Annotations, oldRevision: string): string {
  let history = annotations[REVISION_HISTORY] ? `${annotations[REVISION_HISTORY]},${oldRevision}` : oldRevision;
  while (history.length > HISTORY_LENGTH_MAX) history = history.slice(history.indexOf(',') + 1);
  return history;
}

/** The annotations that the set of the present template should have, those that it has included. */
export function newSetAnnotations(d: DeploymentView, set: ReplicaSetView | undefined, revision: number): Annotations {
  const present = set?.metadata.annotations ?? {};
  const copied = Object.entries(d.metadata.annotations ?? {}).filter(([name]) => !OWN_ANNOTATIONS.has(name));
  const annotations: Record<string, string> = { ...present, ...Object.fromEntries(copied) };
  const old = present[REVISION];
  if (set && revisionOf(set) >= revision) return annotations;
  annotations[REVISION] = String(revision);
  if (old) annotations[REVISION_HISTORY] = historyWith(annotations, old);
  return annotations;
}

/** The annotations by which proportional scaling knows what a set was sized for. */
export const sizeAnnotations = (replicas: number, surge: number): Annotations => ({
  [DESIRED_REPLICAS]: String(replicas),
  [MAX_REPLICAS]: String(replicas + surge),
});

export const setName = (d: DeploymentView): string =>
  `${d.metadata.name}-${hashOf(d.spec.template, d.status?.collisionCount)}`;

/** The set of the present template, to be created. */
export function newSetOf(
  d: DeploymentView,
  set: { replicas: number; annotations: Annotations; owner: OwnerReference },
): DeepReadonly<ReplicaSet> {
  const hash = hashOf(d.spec.template, d.status?.collisionCount);
  const { template, selector, minReadySeconds } = d.spec;
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: setName(d),
      namespace: d.metadata.namespace,
      labels: { ...template.metadata?.labels, [HASH_LABEL]: hash },
      annotations: set.annotations,
      ownerReferences: [set.owner],
    },
    spec: {
      replicas: set.replicas,
      ...(minReadySeconds && { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [HASH_LABEL]: hash } },
      template: {
        ...template,
        metadata: { ...template.metadata, labels: { ...template.metadata?.labels, [HASH_LABEL]: hash } },
      },
    },
  };
}
