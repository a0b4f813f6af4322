import type { ResourceKey } from '@periplus/apimachinery';

const CORE = 'core';

/** A range of etcd keys; `rangeEnd` is exclusive. */
export interface KeyRange {
  key: string;
  rangeEnd: string;
}

/** All keys that start with `start`, which ends in '/': '0' is the next character. */
const below = (start: string): KeyRange => ({ key: start, rangeEnd: `${start.slice(0, -1)}0` });

/** A path is made of names that cannot contain its separator; one that does could name somebody else's key. */
function segment(text: string): string {
  if (text === '' || text.includes('/')) throw new Error(`"${text}" cannot be part of a key`);
  return text;
}

/** `<group|core>/<resource>/[<namespace>/]<name>`: how an object is named below the registry, and in causes. */
export function resourcePath({ group, resource, namespace, name }: ResourceKey): string {
  const path = `${segment(group || CORE)}/${segment(resource)}/`;
  return namespace === '' ? path + segment(name) : `${path}${segment(namespace)}/${segment(name)}`;
}

/** The inverse of `resourcePath`; undefined for anything that it cannot have made. */
export function parseResourcePath(path: string): ResourceKey | undefined {
  const segments = path.split('/');
  if (segments.length < 3 || segments.length > 4 || segments.includes('')) return undefined;
  const [group, resource, ...rest] = segments as [string, string, string, string?];
  const [namespace, name] = rest[1] === undefined ? ['', rest[0]] : [rest[0], rest[1]];
  return { group: group === CORE ? '' : group, resource, namespace, name };
}

/** Where a node finds what is its own: `nodes/n1/pods/default/web`. Relative to the prefix, as companions are. */
export const inboxPath = (node: string, resource: string, ...names: string[]): string =>
  ['nodes', node, resource, ...names].map(segment).join('/');

/** Stands while `value` is taken from `pool`: `allocations/clusterips/10.96.0.10`. Relative to the prefix. */
export const allocationPath = (pool: string, value: string): string => `allocations/${segment(pool)}/${segment(value)}`;

/**
 * Every key that Periplus has in etcd, below one prefix:
 *
 *     registry/<group|core>/<resource>/[<namespace>/]<name>   the objects
 *     revision                                                rewritten by every transaction that changes the registry
 *     tombstones/<resource path>                              who deleted it
 *     nodes/<node>/<resource>/[<namespace>/]<name>            a node's inbox: its pods, and volumes that it keeps
 *     liveness/<node>                                         held by the node's lease
 *     allocations/<pool>/<value>                              uniqueness
 *     elections/<component>                                   leader election
 *     fences/<epoch>                                          transactions of this epoch can no longer happen
 */
export class Keys {
  readonly prefix: string;
  /**
   * Its mod_revision is that of the newest transaction of the store: between it and etcd's current revision
   * nothing in the registry has changed.
   */
  readonly revision: string;
  /** What mirrors of the cluster watch: the objects, `revision` and the tombstones, all in one range. */
  readonly log: KeyRange;
  readonly #registry: string;
  readonly #tombstones: string;
  readonly #liveness: string;

  constructor(prefix = '/periplus') {
    if (prefix === '' || prefix.endsWith('/')) throw new Error(`etcd prefix "${prefix}" is empty or ends in "/"`);
    this.prefix = prefix;
    this.revision = `${prefix}/revision`;
    this.#registry = `${prefix}/registry/`;
    this.#tombstones = `${prefix}/tombstones/`;
    this.#liveness = `${prefix}/liveness/`;
    this.log = { key: this.#registry, rangeEnd: below(this.#tombstones).rangeEnd };
  }

  /** The key of a companion. */
  at(path: string): string {
    return `${this.prefix}/${path}`;
  }

  registry(key: ResourceKey): string {
    return this.#registry + resourcePath(key);
  }

  /** undefined for keys that are not of an object. */
  parseRegistry(etcdKey: string): ResourceKey | undefined {
    return etcdKey.startsWith(this.#registry) ? parseResourcePath(etcdKey.slice(this.#registry.length)) : undefined;
  }

  /** All objects, those of one resource, or those of one resource in one namespace. */
  registryRange(of?: { group: string; resource: string; namespace?: string }): KeyRange {
    if (of === undefined) return below(this.#registry);
    const resource = `${this.#registry}${segment(of.group || CORE)}/${segment(of.resource)}/`;
    return below(of.namespace ? `${resource}${segment(of.namespace)}/` : resource);
  }

  tombstone(key: ResourceKey): string {
    return this.#tombstones + resourcePath(key);
  }

  /** The key of the deleted object. */
  parseTombstone(etcdKey: string): ResourceKey | undefined {
    return etcdKey.startsWith(this.#tombstones) ? parseResourcePath(etcdKey.slice(this.#tombstones.length)) : undefined;
  }

  inbox(node: string, namespace: string, name: string): string {
    return this.at(inboxPath(node, 'pods', namespace, name));
  }

  /** undefined for keys that are not of an inbox. */
  parseInbox(etcdKey: string): { node: string; key: ResourceKey } | undefined {
    const start = `${this.prefix}/nodes/`;
    if (!etcdKey.startsWith(start)) return undefined;
    const slash = etcdKey.indexOf('/', start.length);
    const key = slash === -1 ? undefined : parseResourcePath(`${CORE}${etcdKey.slice(slash)}`);
    return key && { node: etcdKey.slice(start.length, slash), key };
  }

  /** The inbox of one node, or of all. */
  inboxRange(node?: string): KeyRange {
    return below(node === undefined ? this.at('nodes/') : this.at(`nodes/${segment(node)}/`));
  }

  liveness(node: string): string {
    return this.#liveness + segment(node);
  }

  parseLiveness(etcdKey: string): string | undefined {
    if (!etcdKey.startsWith(this.#liveness)) return undefined;
    const node = etcdKey.slice(this.#liveness.length);
    return node === '' || node.includes('/') ? undefined : node;
  }

  livenessRange(): KeyRange {
    return below(this.#liveness);
  }

  allocation(pool: string, value: string): string {
    return this.at(allocationPath(pool, value));
  }

  allocationRange(pool: string): KeyRange {
    return below(this.at(`allocations/${segment(pool)}/`));
  }

  election(component: string): string {
    return this.at(`elections/${segment(component)}`);
  }

  electionRange(): KeyRange {
    return below(this.at('elections/'));
  }

  fence(epoch: string): string {
    return this.at(`fences/${segment(epoch)}`);
  }
}
