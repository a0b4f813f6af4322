import type { Kind } from '@periplus/api';

interface GroupVersionKind {
  group: string;
  version: string;
  kind: string;
}

/** A part of a resource with an address of its own: `/status`, `/scale`, `/log`. */
export interface ServedSubresource {
  name: string;
  /** What it answers with, or takes. */
  answers: GroupVersionKind;
  verbs: readonly string[];
}

/** A resource as discovery shows it. */
export interface ServedResource {
  kind: Kind;
  subresources: readonly ServedSubresource[];
}

const READ_AND_CHANGE = ['get', 'patch', 'update'];
const SCALE: GroupVersionKind = { group: 'autoscaling', version: 'v1', kind: 'Scale' };
const BINDING: GroupVersionKind = { group: '', version: 'v1', kind: 'Binding' };
const POD_GROUP_BINDING: GroupVersionKind = {
  group: 'scheduling.k8s.io',
  version: 'v1alpha2',
  kind: 'PodGroupBinding',
};

/** Subresources that only one kind has, by "group/plural". */
const OF_ONE_KIND: Readonly<Record<string, readonly ServedSubresource[]>> = {
  '/namespaces': [{ name: 'finalize', answers: { group: '', version: 'v1', kind: 'Namespace' }, verbs: ['update'] }],
  '/pods': [
    { name: 'binding', answers: BINDING, verbs: ['create'] },
    { name: 'eviction', answers: { group: 'policy', version: 'v1', kind: 'Eviction' }, verbs: ['create'] },
    { name: 'log', answers: { group: '', version: 'v1', kind: 'Pod' }, verbs: ['get'] },
  ],
  // Ours: how the scheduler binds all pods of a group at once.
  'scheduling.k8s.io/podgroups': [{ name: 'binding', answers: POD_GROUP_BINDING, verbs: ['create'] }],
  '/serviceaccounts': [
    {
      name: 'token',
      answers: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
      verbs: ['create'],
    },
  ],
};

const known = new WeakMap<Kind, readonly ServedSubresource[]>();

export function subresourcesOf(kind: Kind): readonly ServedSubresource[] {
  let found = known.get(kind);
  if (!found) {
    found = allSubresources(kind);
    known.set(kind, found);
  }
  return found;
}

function allSubresources(kind: Kind): readonly ServedSubresource[] {
  const { group, version } = kind;
  const own = OF_ONE_KIND[`${group}/${kind.plural}`] ?? [];
  const scale = kind.scale ? [{ name: 'scale', answers: SCALE, verbs: READ_AND_CHANGE }] : [];
  const status = kind.hasStatus
    ? [{ name: 'status', answers: { group, version, kind: kind.kind }, verbs: READ_AND_CHANGE }]
    : [];
  const parts = Object.keys(kind.parts).map((name) => ({
    name,
    answers: { group, version, kind: kind.kind },
    verbs: READ_AND_CHANGE,
  }));
  return [...own, ...parts, ...scale, ...status].sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** The resources of one version of a group, by name. */
export interface GroupVersion {
  group: string;
  version: string;
  resources: readonly ServedResource[];
}

/** Kinds, which come in discovery order, as groups and versions. */
export function groupVersions(kinds: readonly Kind[]): GroupVersion[] {
  const byVersion = Map.groupBy(kinds, ({ group, version }) => `${group}/${version}`);
  return [...byVersion.values()].map((all) => ({
    group: all[0]!.group,
    version: all[0]!.version,
    resources: all.map((kind) => ({ kind, subresources: subresourcesOf(kind) })),
  }));
}
