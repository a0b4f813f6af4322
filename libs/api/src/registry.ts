import type { Kind } from './kind.ts';

/** Built-in groups in the order that discovery lists them; others follow by name. kube-apiserver's group priorities. */
const GROUP_ORDER = [
  '',
  'apiregistration.k8s.io',
  'apps',
  'events.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'networking.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'scheduling.k8s.io',
  'coordination.k8s.io',
  'node.k8s.io',
  'discovery.k8s.io',
  'resource.k8s.io',
  'flowcontrol.apiserver.k8s.io',
];

const byGroup = (a: string, b: string): number => {
  const [left, right] = [GROUP_ORDER.indexOf(a), GROUP_ORDER.indexOf(b)];
  if (left >= 0 && right >= 0) return left - right;
  if (left >= 0 || right >= 0) return left >= 0 ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
};

/** `v1alpha1`, `v2beta3`, `v1`: the parts that rank a version; undefined for names of another form. */
const parseVersion = (version: string): [stability: number, major: number, minor: number] | undefined => {
  const match = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(version);
  if (!match) return undefined;
  const stability = match[2] === 'alpha' ? 0 : match[2] === 'beta' ? 1 : 2;
  return [stability, Number(match[1]), Number(match[3] ?? 0)];
};

/** Stable before beta before alpha, newest first. https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#version-priority */
const byVersion = (a: string, b: string): number => {
  const [left, right] = [parseVersion(a), parseVersion(b)];
  if (left && right) return right[0] - left[0] || right[1] - left[1] || right[2] - left[2];
  if (left || right) return left ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
};

const gvrOf = (group: string, version: string, name: string): string => `${group}/${version}/${name}`;

/** The kinds that the cluster serves. Lookups are one map access; kinds may come and go at run time. */
export class KindRegistry {
  readonly #byResource = new Map<string, Kind>();
  readonly #byKind = new Map<string, Kind>();
  readonly #storage = new Map<string, Kind>();
  /** Derived from the maps, null until asked for. */
  #ordered: readonly Kind[] | null = null;

  constructor(kinds: Iterable<Kind> = []) {
    for (const kind of kinds) this.add(kind);
  }

  /** Adds a kind, or replaces the one of the same group, version and plural. */
  add(kind: Kind): void {
    this.delete(kind.group, kind.version, kind.plural);
    this.#byResource.set(gvrOf(kind.group, kind.version, kind.plural), kind);
    this.#byKind.set(gvrOf(kind.group, kind.version, kind.kind), kind);
    this.#settle(kind.group, kind.plural);
  }

  delete(group: string, version: string, plural: string): void {
    const kind = this.byResource(group, version, plural);
    if (!kind) return;
    this.#byResource.delete(gvrOf(group, version, plural));
    this.#byKind.delete(gvrOf(group, version, kind.kind));
    this.#settle(group, plural);
  }

  byResource(group: string, version: string, plural: string): Kind | undefined {
    return this.#byResource.get(gvrOf(group, version, plural));
  }

  byKind(group: string, version: string, kind: string): Kind | undefined {
    return this.#byKind.get(gvrOf(group, version, kind));
  }

  /** The kind whose form is stored for this resource, whichever version or group it is asked through. */
  storageKind(group: string, resource: string): Kind | undefined {
    return this.#storage.get(`${group}/${resource}`);
  }

  /** In discovery order: by group, then version, then plural. */
  all(): readonly Kind[] {
    this.#ordered ??= [...this.#byResource.values()].sort(
      (a, b) => byGroup(a.group, b.group) || byVersion(a.version, b.version) || (a.plural < b.plural ? -1 : 1),
    );
    return this.#ordered;
  }

  /** Groups in discovery order, '' (core) first. */
  groups(): readonly string[] {
    return [...new Set(this.all().map((kind) => kind.group))];
  }

  /** Versions of a group, the preferred one first. */
  versions(group: string): readonly string[] {
    return [...new Set(this.all().flatMap((kind) => (kind.group === group ? [kind.version] : [])))];
  }

  /** The storage form of a resource is its own kind without `storedAs`, else the kind it is stored as. */
  #settle(group: string, plural: string): void {
    this.#ordered = null;
    const kinds = this.all().filter((kind) => kind.group === group && kind.plural === plural);
    const own = kinds.find((kind) => !kind.storedAs);
    const storage = own ?? kinds[0]?.storedAs?.kind;
    if (storage) this.#storage.set(`${group}/${plural}`, storage);
    else this.#storage.delete(`${group}/${plural}`);
  }
}
