import { createHash } from 'node:crypto';
import {
  csiDriver,
  type PersistentVolume,
  persistentVolume,
  type VolumeAttachment,
  volumeAttachment,
} from '@periplus/api';
import { type DeepReadonly, parseTime } from '@periplus/apimachinery';
import type { Index, View } from '@periplus/cache';

export type Volume = DeepReadonly<PersistentVolume>;
export type Attachment = DeepReadonly<VolumeAttachment>;
type CsiSource = NonNullable<Volume['spec']['csi']>;

/** Since when nobody on the node needs the volume: the node is told first, and has some time to unmount it. */
export const DETACH_SINCE = 'storage.periplus.dev/detach-since';

/** Drivers and nodes know the attachment by this name. Others are somebody else's, who made them by hand. */
const OWN_NAME = /^csi-[0-9a-f]{64}$/;

/** What the VolumeAttachment of the volume and the node is called, as in Kubernetes, whose drivers' sidecars count on it. */
export const attachmentName = ({ driver, volumeHandle }: CsiSource, nodeName: string): string =>
  `csi-${createHash('sha256').update(`${volumeHandle}${driver}${nodeName}`).digest('hex')}`;

/** What a node's status calls the volume. */
export const attachedName = ({ driver, volumeHandle }: CsiSource): string =>
  `kubernetes.io/csi/${driver}^${volumeHandle}`;

/**
 * What to attach of a volume; undefined when nothing has to be. A driver that has not registered is taken for one that
 * attaches. https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/csi-driver-v1/
 */
export function attachable(volume: Volume | undefined, view: View): CsiSource | undefined {
  const source = volume?.spec.csi;
  if (!source || view.get(csiDriver, '', source.driver)?.spec.attachRequired === false) return undefined;
  return source;
}

const volumeOf = ({ spec }: Attachment): string[] => [spec.source?.persistentVolumeName ?? []].flat();

export const attachmentsOfVolume: Index<VolumeAttachment> = {
  name: 'attachments of a volume',
  kind: volumeAttachment,
  keys: (attachment) => (OWN_NAME.test(attachment.metadata.name ?? '') ? volumeOf(attachment) : []),
};

export const attachmentsOnNode: Index<VolumeAttachment> = {
  name: 'attachments on a node',
  kind: volumeAttachment,
  keys: ({ metadata, spec }) => (OWN_NAME.test(metadata.name ?? '') && spec.nodeName ? [spec.nodeName] : []),
};

/** The PersistentVolume of an attachment. */
export const volumeOfAttachment = ({ spec }: Attachment, view: View): Volume | undefined =>
  view.get(persistentVolume, '', spec.source?.persistentVolumeName ?? '');

/** In ms since the epoch; undefined while the volume is needed. */
export function detachSinceMs({ metadata }: Attachment): number | undefined {
  const since = metadata.annotations?.[DETACH_SINCE];
  return since === undefined ? undefined : (parseTime(since) ?? 0);
}
