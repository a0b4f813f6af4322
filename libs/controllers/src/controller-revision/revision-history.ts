/**
 * The templates that a StatefulSet or DaemonSet has had, each kept as a ControllerRevision whose data is the patch that
 * `kubectl rollout undo` sends. https://kubernetes.io/docs/tasks/manage-daemon/rollback-daemon-set/
 */
import { type ControllerRevision, controllerRevision, type Kind, type Pod, pod, sameValue } from '@periplus/api';
import {
  canonicalJson,
  type DeepReadonly,
  hashOf,
  type JsonObject,
  type KubeObject,
  ownerReferenceTo,
  parseTime,
  type Selector,
} from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import type { Command } from '@periplus/client';
import type { PodView } from '../pod-state.ts';

export type RevisionView = DeepReadonly<ControllerRevision>;

/** What its pods have of a revision, as a label. https://kubernetes.io/docs/reference/labels-annotations-taints/#controller-revision-hash */
export const REVISION_LABEL = 'controller-revision-hash';

/** The hash as a revision's own label has it. */
export const markOfHash = ({ metadata }: RevisionView): string =>
  metadata.labels?.[REVISION_LABEL] ?? metadata.name ?? '';

type Template = { metadata?: Pick<KubeObject['metadata'], 'labels'>; spec?: Pod['spec'] };

/** Whose history it is. */
export interface HistoryOwner {
  kind: Kind;
  object: DeepReadonly<KubeObject & { spec: { template?: Template }; status?: { collisionCount?: number } }>;
  selector: Selector;
  /** The label of a revision that holds its hash. */
  hashLabel: string;
  /** What pods of a revision have as their label. */
  mark(revision: RevisionView): string;
}

export interface History {
  /** The revision of the present template, which the first of `commands` may be about to make. */
  update: RevisionView;
  /** The others, the oldest first. */
  others: readonly RevisionView[];
  /** Make, renumber and clean up revisions, so that each template has one and the present one the highest number. */
  commands: Command[];
}

/** Names longer than this are cut before the hash is put behind them. */
const NAME_PREFIX_MAX = 223;

/** The patch that brings the present template back; kubectl compares it byte by byte, so its members are sorted. */
const snapshotOf = (template: DeepReadonly<Template> | undefined): JsonObject =>
  JSON.parse(canonicalJson({ spec: { template: { ...template, $patch: 'replace' } } }));

/** The template that a revision keeps. */
export function templateOf({ data }: RevisionView): DeepReadonly<Template> {
  const { $patch: _, ...template } =
    (data as { spec?: { template?: Template & { $patch?: string } } })?.spec?.template ?? {};
  return template;
}

const createdMs = ({ metadata }: RevisionView): number => parseTime(metadata.creationTimestamp ?? '') ?? 0;
const oldestFirst = (a: RevisionView, b: RevisionView): number =>
  a.revision - b.revision ||
  createdMs(a) - createdMs(b) ||
  ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1);

/**
 * The history of `owner`, whose revisions are `revisions` and whose pods are `pods`. 'collision': the name that the
 * present template's revision would have is taken by something else, so the owner's collision count has to go up.
 */
export function planHistory(
  owner: HistoryOwner,
  revisions: readonly RevisionView[],
  pods: readonly PodView[],
  view: View,
): History | 'collision' {
  const data = snapshotOf(owner.object.spec.template);
  const ordered = [...revisions].sort(oldestFirst);
  const equal = ordered.filter((revision) => sameValue(revision.data, data));
  const others = ordered.filter((revision) => !equal.includes(revision));
  const number = (others.at(-1)?.revision ?? 0) + 1;
  const present = equal.at(-1);
  if (!present) return creation(owner, data, number, others, view);
  return {
    update: present,
    others,
    commands: [
      ...(present.revision < number ? [renumbered(present, number)] : []),
      ...withoutDuplicates(owner, present, equal.slice(0, -1), pods),
    ],
  };
}

function creation(
  { kind, object, hashLabel }: HistoryOwner,
  data: JsonObject,
  revision: number,
  others: readonly RevisionView[],
  view: View,
): History | 'collision' {
  const { namespace = '', name: ownerName = '', annotations } = object.metadata;
  const hash = hashOf(object.spec.template, object.status?.collisionCount);
  const name = `${ownerName.slice(0, NAME_PREFIX_MAX)}-${hash}`;
  if (view.get(controllerRevision, namespace, name)) return 'collision';
  const update: RevisionView = {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name,
      namespace,
      labels: { ...object.spec.template?.metadata?.labels, [hashLabel]: hash },
      annotations,
      ownerReferences: [ownerReferenceTo(object, kind)],
    },
    data,
    revision,
  };
  return {
    update,
    others,
    commands: [{ verb: 'create', kind: controllerRevision, namespace, name, object: update }],
  };
}

const target = (kind: Kind, { metadata }: DeepReadonly<KubeObject>) => ({
  kind,
  namespace: metadata.namespace ?? '',
  name: metadata.name ?? '',
  ifUid: metadata.uid,
});

const renumbered = (revision: RevisionView, to: number): Command => ({
  verb: 'patch',
  ...target(controllerRevision, revision),
  type: 'merge',
  patch: { revision: to },
});

const removal = (revision: RevisionView): Command => ({ verb: 'delete', ...target(controllerRevision, revision) });

/** Of revisions with one template all but `kept` go, after their pods were made its own: they need not be replaced. */
function withoutDuplicates(
  { mark }: HistoryOwner,
  kept: RevisionView,
  duplicates: readonly RevisionView[],
  pods: readonly PodView[],
): Command[] {
  if (duplicates.length === 0) return [];
  const marks = new Set(duplicates.map(mark));
  const relabelled = pods
    .filter(({ metadata }) => marks.has(metadata.labels?.[REVISION_LABEL] ?? ''))
    .map(
      (found): Command => ({
        verb: 'patch',
        ...target(pod, found),
        type: 'merge',
        patch: { metadata: { labels: { [REVISION_LABEL]: mark(kept) } } },
      }),
    );
  // A duplicate stays as long as pods have its label.
  return relabelled.length > 0 ? relabelled : duplicates.map(removal);
}

/** Removes the `count` oldest of `idle`, revisions that no pod has. */
export const truncated = (idle: readonly RevisionView[], count: number): Command[] =>
  idle.slice(0, Math.max(0, count)).map(removal);
