import {
  annotationOf,
  type CSINode,
  csiNode,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolume,
  persistentVolumeClaim,
  type StorageClass,
  storageClass,
  storageClassOf,
} from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import type { Depicted } from '../depicted.ts';

export type Claim = DeepReadonly<PersistentVolumeClaim>;
export type Volume = DeepReadonly<PersistentVolume>;

export const VOLUME_RESOURCES = [persistentVolumeClaim, persistentVolume, storageClass, csiNode].map(
  ({ group, plural }) => ({ group, resource: plural }),
);

/** `<namespace>/<name>` of a claim. */
export const claimKey = (namespace: string | undefined, name: string | undefined): string => `${namespace}/${name}`;

export const keyOf = ({ metadata }: Claim): string => claimKey(metadata.namespace, metadata.name);

/** Whether the claim and its volume have become one another's. */
export const isBound = (claim: Claim): boolean =>
  Boolean(claim.spec.volumeName) && annotationOf(claim, 'bindCompleted') !== undefined;

const isHeld = ({ spec }: Volume): string | undefined =>
  spec.claimRef ? claimKey(spec.claimRef.namespace, spec.claimRef.name) : undefined;

/** What the scheduler knows of claims, volumes and their classes, and what it has decided of them itself. */
export class VolumeCatalog {
  private readonly claims = new Map<string, Claim>();
  private readonly volumes = new Map<string, Volume>();
  private readonly classes = new Map<string, DeepReadonly<StorageClass>>();
  private readonly csiNodes = new Map<string, DeepReadonly<CSINode>>();
  /** Volumes that nobody has, by class, and those that a claim is to have, by claim. */
  private readonly byUse = new Map<string, Map<string, Volume>>();
  /** How many pods on nodes use a claim. */
  private readonly users = new Map<string, number>();
  /** By volume, the claim that is to have it; by claim, the node that it is to be made for: decided, not yet seen. */
  private readonly reserved = new Map<string, string>();
  private readonly selected = new Map<string, string>();

  claim(key: string): Claim | undefined {
    return this.claims.get(key);
  }

  volume(name: string): Volume | undefined {
    return this.volumes.get(name);
  }

  classOf(claim: Claim): DeepReadonly<StorageClass> | undefined {
    return this.classes.get(storageClassOf(claim));
  }

  csiNode(name: string): DeepReadonly<CSINode> | undefined {
    return this.csiNodes.get(name);
  }

  /** The volumes that are held for the claim, and those of its class that nobody has or is about to get. */
  candidatesFor(claim: Claim): Volume[] {
    const free = [...(this.byUse.get(`of ${storageClassOf(claim)}`)?.values() ?? [])];
    const held = this.byUse.get(`for ${keyOf(claim)}`)?.values() ?? [];
    return [...held, ...free.filter(({ metadata }) => !this.reserved.has(metadata.name!))];
  }

  /** The node that a claim's volume is to be made for, once that is decided. */
  nodeOf(claim: Claim): string | undefined {
    return annotationOf(claim, 'selectedNode') ?? this.selected.get(keyOf(claim));
  }

  isUsed(key: string): boolean {
    return this.users.has(key);
  }

  /** A pod with these claims comes to a node, or leaves it. */
  use(keys: readonly string[], sign: 1 | -1): void {
    for (const key of keys) {
      const users = (this.users.get(key) ?? 0) + sign;
      if (users > 0) this.users.set(key, users);
      else this.users.delete(key);
    }
  }

  /** Nobody else is to get the volume, or to have the claim's volume made elsewhere, until it is seen. */
  reserve(volume: string, claim: string): void {
    this.reserved.set(volume, claim);
  }

  select(claim: string, node: string): void {
    this.selected.set(claim, node);
  }

  /** What was decided for a claim has come to be seen, or to nothing. */
  settle(claim: string): void {
    this.selected.delete(claim);
    for (const [volume, holder] of this.reserved) if (holder === claim) this.reserved.delete(volume);
  }

  /** Takes a change of an object. Returns the claim that it is about; null when it may matter to any; undefined: to none. */
  apply({ key, object }: Depicted, isGone: boolean): string | null | undefined {
    const { resource, namespace, name } = key;
    switch (resource) {
      case persistentVolumeClaim.plural:
        put(this.claims, claimKey(namespace, name), isGone ? undefined : (object as Claim));
        return claimKey(namespace, name);
      case persistentVolume.plural:
        return this.setVolume(name, isGone ? undefined : (object as Volume));
      case storageClass.plural:
        put(this.classes, name, isGone ? undefined : (object as DeepReadonly<StorageClass>));
        return null;
      case csiNode.plural:
        put(this.csiNodes, name, isGone ? undefined : (object as DeepReadonly<CSINode>));
        return null;
      default:
        return undefined;
    }
  }

  private setVolume(name: string, volume: Volume | undefined): string | null {
    const before = this.volumes.get(name);
    if (before) this.byUse.get(useOf(before))?.delete(name);
    put(this.volumes, name, volume);
    if (volume) {
      const use = useOf(volume);
      const alike = this.byUse.get(use) ?? new Map<string, Volume>();
      this.byUse.set(use, alike.set(name, volume));
    }
    if (before && this.byUse.get(useOf(before))?.size === 0) this.byUse.delete(useOf(before));
    return (volume && isHeld(volume)) ?? null;
  }
}

const useOf = (volume: Volume): string => {
  const holder = isHeld(volume);
  return holder === undefined ? `of ${storageClassOf(volume)}` : `for ${holder}`;
};

function put<Value>(map: Map<string, Value>, key: string, value: Value | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}
