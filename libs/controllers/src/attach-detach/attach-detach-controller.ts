import {
  CONTROLLER_ATTACHES,
  csiDriver,
  type Node,
  node,
  type PersistentVolume,
  persistentVolume,
  persistentVolumeClaim,
  pod,
  sameValue,
  volumeAttachment,
} from '@periplus/api';
import { type DeepReadonly, formatTime, isConditionTrue } from '@periplus/apimachinery';
import type { Index, View } from '@periplus/cache';
import type { Command } from '@periplus/client';
import { type Controller, defineController, type ObjectRef, type PlannedEvent, watchRule } from '@periplus/reconcile';
import { podsOnNode } from '../node/node-controller.ts';
import { isOutOfService } from '../node/out-of-service-controller.ts';
import type { PodView } from '../pod-state.ts';
import {
  type Attachment,
  attachable,
  attachedName,
  attachmentName,
  attachmentsOfVolume,
  attachmentsOnNode,
  DETACH_SINCE,
  detachSinceMs,
  type Volume,
} from './csi-attachment.ts';
import { mayHaveClaims, needsVolumes, podsByClaim, usersOf, volumesOf } from './volume-users.ts';

type NodeView = DeepReadonly<Node>;

/** How long a node that is not Ready has to unmount a volume that is to be elsewhere. kube-controller-manager's default. */
const FORCE_AFTER_MS = 6 * 60_000;

const SHARED_MODES = ['ReadWriteMany', 'ReadOnlyMany'];

/** A volume that says nothing of its access modes may be on several nodes, as far as anybody knows. */
const isExclusive = ({ spec: { accessModes = [] } }: Volume): boolean =>
  accessModes.length > 0 && !accessModes.some((mode) => SHARED_MODES.includes(mode));

const isManaged = (found: NodeView | undefined): boolean =>
  found?.metadata.annotations?.[CONTROLLER_ATTACHES] === 'true';

/** What of a node decides about its volumes. */
const outlook = (found: NodeView | null) =>
  found && [
    isManaged(found),
    found.status?.volumesInUse,
    found.status?.volumesAttached,
    isOutOfService(found),
    isConditionTrue(found.status?.conditions, 'Ready'),
  ];

function volumesOnNode(now: NodeView | null, old: NodeView | null, view: View): ObjectRef[] {
  if (sameValue(outlook(now), outlook(old))) return [];
  const name = (now ?? old)?.metadata.name ?? '';
  const attached = view.index(attachmentsOnNode, name).map(({ spec }) => spec.source?.persistentVolumeName ?? '');
  const refs = attached.map((volume) => ({ namespace: '', name: volume }));
  if (isManaged(now ?? undefined) === isManaged(old ?? undefined)) return refs;
  return [...refs, ...view.index(podsOnNode, name).flatMap((user) => volumesOf(user, view))];
}

/** How long an attachment that nobody needs must still stay, in ms; Infinity: until something changes. */
function detachMs(attachment: Attachment, name: string | undefined, view: View): number {
  const found = view.get(node, '', attachment.spec.nodeName ?? '');
  if (!found || !name) return 0;
  const { volumesAttached, volumesInUse, conditions } = found.status ?? {};
  // First the node must hear that it may not mount it any more.
  if (volumesAttached?.some((volume) => volume.name === name)) return Number.POSITIVE_INFINITY;
  if (!volumesInUse?.includes(name) || isOutOfService(found)) return 0;
  if (isConditionTrue(conditions, 'Ready')) return Number.POSITIVE_INFINITY;
  return Math.max(0, detachSinceMs(attachment)! + FORCE_AFTER_MS - view.nowMs);
}

const target = ({ metadata }: Attachment) => ({
  ...{ kind: volumeAttachment as never, namespace: '', name: metadata.name ?? '', ifUid: metadata.uid },
});

const mark = (attachment: Attachment, since: string | null): Command => ({
  ...target(attachment),
  ...{ verb: 'patch', type: 'merge', patch: { metadata: { annotations: { [DETACH_SINCE]: since } } } },
});

function creation(volume: Volume, source: NonNullable<Volume['spec']['csi']>, nodeName: string): Command {
  const name = attachmentName(source, nodeName);
  const spec = { attacher: source.driver, nodeName, source: { persistentVolumeName: volume.metadata.name } };
  const object = { apiVersion: 'storage.k8s.io/v1', kind: 'VolumeAttachment', metadata: { name }, spec };
  return { verb: 'create', kind: volumeAttachment as never, namespace: '', name, object };
}

const failed = (about: PodView, message: string, onRefusalOf?: Command): PlannedEvent => ({
  ...{ about, type: 'Warning', reason: 'FailedAttachVolume', message },
  ...(onRefusalOf && { onRefusalOf }),
});

/** Why a volume for one node can't be on this one, in the words of Kubernetes. */
function multiAttach(volume: Volume, user: PodView, users: readonly PodView[]): string {
  const others = users.filter(({ spec }) => spec.nodeName !== user.spec.nodeName);
  const names = others.map(({ metadata }) => metadata.name).join(', ');
  const why = names
    ? `Volume is already used by pod(s) ${names}`
    : "Volume is already exclusively attached to one node and can't be attached to another";
  return `Multi-Attach error for volume ${JSON.stringify(volume.metadata.name)} ${why}`;
}

const cantAttach = (name: string): string => `AttachVolume.Attach failed for volume ${JSON.stringify(name)} `;

/** What becomes of attachments that are there already. */
function keepOrDetach(
  attachments: readonly Attachment[],
  needed: ReadonlySet<string>,
  csiName: string | undefined,
  view: View,
) {
  const commands: Command[] = [];
  let lookAgainMs = Number.POSITIVE_INFINITY;
  for (const attachment of attachments) {
    if (attachment.metadata.deletionTimestamp) continue;
    const isMarked = detachSinceMs(attachment) !== undefined;
    if (needed.has(attachment.spec.nodeName ?? '')) {
      if (isMarked) commands.push(mark(attachment, null));
    } else if (!isMarked) commands.push(mark(attachment, formatTime(view.nowMs)));
    else {
      const ms = detachMs(attachment, csiName, view);
      if (ms === 0) commands.push({ ...target(attachment), verb: 'delete' });
      lookAgainMs = Math.min(lookAgainMs, ms || Number.POSITIVE_INFINITY);
    }
  }
  return { commands, lookAgainMs: Number.isFinite(lookAgainMs) ? lookAgainMs : undefined };
}

/** What the users of a volume still need: attachments, or to hear why there is none. */
function attach(volume: Volume, users: readonly PodView[], attachments: readonly Attachment[], view: View) {
  const commands: Command[] = [];
  const events: PlannedEvent[] = [];
  const source = attachable(volume, view)!;
  const { name = '' } = volume.metadata;
  const there = new Map(attachments.map((attachment) => [attachment.spec.nodeName, attachment]));
  const taken = new Set(there.keys());
  for (const user of users) {
    const nodeName = user.spec.nodeName!;
    const { metadata, status } = there.get(nodeName) ?? {};
    if (metadata) {
      const { attached, attachError } = status ?? {};
      if (!attached && attachError) events.push(failed(user, `${cantAttach(name)}: ${attachError.message ?? ''}`));
    } else if (isExclusive(volume) && [...taken].some((other) => other !== nodeName)) {
      events.push(failed(user, multiAttach(volume, user, users)));
    } else if (!taken.has(nodeName)) {
      const command = creation(volume, source, nodeName);
      commands.push(command);
      events.push(failed(user, cantAttach(name), command));
      taken.add(nodeName);
    }
  }
  return { commands, events };
}

/**
 * Makes the VolumeAttachments of volumes that drivers attach to nodes, for the pods that use them, and deletes them
 * when no pod on the node does and the node has unmounted the volume. The driver's attacher does the rest.
 * https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/volume-attachment-v1/
 */
export const attachDetachController: Controller<PersistentVolume> = defineController<PersistentVolume>({
  name: 'attach-detach',
  for: persistentVolume,
  watches: [
    watchRule(
      pod,
      (now, old, view) => (needsVolumes(now) === needsVolumes(old) ? [] : volumesOf((now ?? old)!, view)),
      ({ entry }) => mayHaveClaims(entry),
    ),
    watchRule(persistentVolumeClaim, (now, old) =>
      [...new Set([now?.spec.volumeName, old?.spec.volumeName])].flatMap((name) =>
        name ? [{ namespace: '', name }] : [],
      ),
    ),
    watchRule(volumeAttachment as never, (now, old) => {
      const { persistentVolumeName: name } = ((now ?? old) as unknown as Attachment).spec.source ?? {};
      return name ? [{ namespace: '', name }] : [];
    }),
    watchRule(node, volumesOnNode),
    watchRule(csiDriver as never, (now, old, view) => {
      const driver = (now ?? old)?.metadata.name;
      const its = view.list(persistentVolume).filter(({ spec }) => spec.csi?.driver === driver);
      return its.map(({ metadata }) => ({ namespace: '', name: metadata.name ?? '' }));
    }),
  ],
  indexes: [podsByClaim, podsOnNode, attachmentsOfVolume as unknown as Index, attachmentsOnNode as unknown as Index],
  reportsAs: 'attachdetach-controller',
  reconcile({ name }, view) {
    const volume = view.get(persistentVolume, '', name);
    const source = attachable(volume, view);
    const attachments = view.index(attachmentsOfVolume, name);
    const users = source
      ? usersOf(volume!, view).filter(({ spec }) => isManaged(view.get(node, '', spec.nodeName!)))
      : [];
    const needed = new Set(users.map(({ spec }) => spec.nodeName!));
    const kept = keepOrDetach(attachments, needed, source && attachedName(source), view);
    const { commands, events } =
      users.length > 0 ? attach(volume!, users, attachments, view) : { commands: [], events: [] };
    const all = [...kept.commands, ...commands];
    return { steps: all.length > 0 ? [all] : [], events, lookAgainMs: kept.lookAgainMs };
  },
});
