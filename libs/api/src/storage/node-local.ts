/** Volumes that are directories of one node, made for claims on demand: how those who make and keep them agree. */
import { type DeepReadonly, dns1123Subdomain } from '@periplus/apimachinery';
import type { PersistentVolume } from '../core/persistent-volume.ts';

/** Names the provisioner in StorageClasses and on volumes. */
export const NODE_LOCAL_PROVISIONER = 'periplus.dev/node-local';
/** Held by this until the node has removed the directory. */
export const NODE_LOCAL_FINALIZER = 'periplus.dev/node-local';
/** On a node: the directory below which it keeps such volumes. Nodes without it have none. */
export const VOLUME_DIRECTORY_ANNOTATION = 'periplus.dev/volume-directory';
/** On a volume: the node that has it, which finds the volume in its inbox. */
export const VOLUME_NODE_ANNOTATION = 'periplus.dev/volume-node';

/** The node that keeps the volume; undefined for volumes of other kinds. */
export function keeperOf({ metadata }: DeepReadonly<PersistentVolume>): string | undefined {
  const node = metadata.annotations?.[VOLUME_NODE_ANNOTATION];
  return node !== undefined && dns1123Subdomain(node).length === 0 ? node : undefined;
}
