import { type Node, node, sameValue, volumeAttachment } from '@periplus/api';
import type { Index, View } from '@periplus/cache';
import { type Controller, defineController, idle, type PlannedEvent, watchRule } from '@periplus/reconcile';
import { setStatusOfVersion } from '../status-change.ts';
import {
  type Attachment,
  attachable,
  attachedName,
  attachmentsOnNode,
  detachSinceMs,
  type Volume,
  volumeOfAttachment,
} from './csi-attachment.ts';
import { podsByClaim, usersOf } from './volume-users.ts';

/** Attached, and to stay. */
const isUsable = (attachment: Attachment): boolean =>
  attachment.status?.attached === true &&
  !attachment.metadata.deletionTimestamp &&
  detachSinceMs(attachment) === undefined;

function usableOn(nodeName: string, view: View): Map<string, Volume> {
  const usable = new Map<string, Volume>();
  for (const attachment of view.index(attachmentsOnNode, nodeName).filter(isUsable)) {
    const volume = volumeOfAttachment(attachment, view);
    const source = attachable(volume, view);
    if (source) usable.set(attachedName(source), volume!);
  }
  return usable;
}

/** Tells each node, in its status, which volumes it may mount, and its pods that they have theirs. */
export const attachedVolumesController: Controller<Node> = defineController<Node>({
  name: 'attached-volumes',
  for: node,
  watches: [
    watchRule(volumeAttachment as never, (now, old) => {
      const { nodeName } = ((now ?? old) as unknown as Attachment).spec;
      return nodeName ? [{ namespace: '', name: nodeName }] : [];
    }),
  ],
  indexes: [podsByClaim, attachmentsOnNode as unknown as Index],
  reportsAs: 'attachdetach-controller',
  reconcile({ name }, view) {
    const found = view.get(node, '', name);
    if (!found || found.metadata.deletionTimestamp) return idle;
    const usable = usableOn(name, view);
    const before = new Set(found.status?.volumesAttached?.map((volume) => volume.name));
    const names = [...usable.keys()].sort();
    if (sameValue(names, [...before].sort())) return idle;
    const volumesAttached = names.length > 0 ? names.map((volume) => ({ name: volume, devicePath: '' })) : undefined;
    const step = setStatusOfVersion(node, found, { ...found.status, volumesAttached });
    const added = names.filter((volume) => !before.has(volume)).map((volume) => usable.get(volume)!);
    return { steps: [step], events: added.flatMap((volume) => successes(volume, name, view)) };
  },
});

const successes = (volume: Volume, nodeName: string, view: View): PlannedEvent[] =>
  usersOf(volume, view)
    .filter(({ spec }) => spec.nodeName === nodeName)
    .map((about) => ({
      ...{ about, type: 'Normal', reason: 'SuccessfulAttachVolume' },
      message: `AttachVolume.Attach succeeded for volume ${JSON.stringify(volume.metadata.name)} `,
    }));
