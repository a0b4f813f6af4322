import type { Pod } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import type { Change } from '@periplus/cache';
import type { CommandCause } from '@periplus/client';
import { type ClusterPicture, GROUPS, hasEnded, isOf, PODS, SURROUNDINGS } from './cluster-picture.ts';
import { causeOf } from './commands.ts';
import type { Decider } from './decide.ts';
import type { Depicted } from './depicted.ts';
import type { DeviceBinder } from './devices/device-binder.ts';
import { isAboutDevices } from './devices/device-catalog.ts';
import { claimsOf } from './devices/device-planner.ts';
import { UnclaimedPods } from './devices/unclaimed-pods.ts';
import { type Group, groupNameOf } from './gangs/pod-groups.ts';
import type { ClusterChange } from './plugin.ts';
import { isGated } from './plugins/scheduling-gates.ts';
import { type PodInfo, podInfo } from './pod-info.ts';
import type { PodShape } from './pod-shape.ts';
import type { SchedulingQueue } from './scheduling-queue.ts';
import type { VolumeBinder } from './volumes/volume-binder.ts';

/** Parsed anew each time: `entry.object` would stay with the cache, and of most pods no more than a row of numbers is needed. */
const podOf = ({ bytes }: Depicted): DeepReadonly<Pod> => JSON.parse(bytes.toString()) as DeepReadonly<Pod>;
const ON_A_NODE = '"nodeName":"';

/** All objects as they are at one time. */
export interface ClusterSnapshot {
  entries(of: typeof PODS): Iterable<Depicted>;
  entry(key: Depicted['key']): Depicted | undefined;
}

export interface ClusterObserverDeps {
  cache: { view(nowMs: number): ClusterSnapshot };
  picture: ClusterPicture;
  queue: SchedulingQueue;
  /** By the name under which pods ask for them. */
  deciders: ReadonlyMap<string, Decider>;
  volumes: Pick<VolumeBinder, 'look'>;
  devices: Pick<DeviceBinder, 'look'>;
  nowMs(): number;
}

/** Follows the cache: keeps the picture true and the pods that wait in the queue, and wakes those that a change may help. */
export class ClusterObserver {
  private readonly deps: ClusterObserverDeps;
  /** A pod whose JSON has none of these texts is another scheduler's and waits for it: it need not be parsed to see that. */
  private readonly mentions: readonly string[];
  private readonly unclaimed = new UnclaimedPods();

  constructor(deps: ClusterObserverDeps) {
    this.deps = deps;
    const names = [...deps.deciders.keys()];
    this.mentions = [ON_A_NODE, ...names.map((name) => `"schedulerName":${JSON.stringify(name)}`)];
  }

  /** Takes all that the cache has. */
  begin(): void {
    const { cache, picture } = this.deps;
    const view = cache.view(this.deps.nowMs());
    for (const of of SURROUNDINGS) for (const entry of view.entries(of)) picture.take(entry, null, false);
    for (const entry of view.entries(GROUPS)) picture.groups.set(entry);
    for (const entry of view.entries(PODS)) if (this.concernsUs(entry)) this.podChanged(entry);
  }

  apply(changes: readonly Change[]): void {
    for (const { type, entry, previous } of changes) {
      const isGone = type === 'deleted';
      if (isOf(entry, PODS)) {
        if (!this.concernsUs(entry)) continue;
        if (isGone) this.podGone(podOf(entry), entry);
        else this.podChanged(entry);
      } else if (isOf(entry, GROUPS)) {
        const { groups } = this.deps.picture;
        this.groupChanged(isGone ? groups.delete(entry) : groups.set(entry), entry);
      } else this.surroundingsChanged(entry, previous, isGone);
    }
  }

  /** A pod that counted on a node was not bound there. */
  takeBack({ uid, pod, shape }: PodInfo, node: string): void {
    const { cache, picture } = this.deps;
    picture.table.displace(uid);
    picture.placed.delete(uid);
    const { namespace, name } = pod.metadata;
    const entry = cache.view(this.deps.nowMs()).entry({ ...PODS, namespace: namespace!, name: name! });
    // While it was assumed, its changes were not looked at: it may be on its way out.
    if (!entry) {
      this.forget(uid);
      return;
    }
    this.podChanged(entry);
    this.wakeFor({ events: ['PodGone'], node, peer: shape.peer }, entry);
  }

  /** Claims don't get the devices that were kept for them. */
  devicesFreed(cause: CommandCause | null): void {
    const { queue, deciders, picture } = this.deps;
    const change: ClusterChange = { events: ['DevicesChanged'], node: '', peer: null };
    picture.table.loosened += 1;
    const refusedBy = (shape: PodShape) => deciders.get(shape.schedulerName)!.stillRefusedBy(shape, change);
    queue.wake(change.events, refusedBy, cause, this.deps.nowMs());
  }

  private concernsUs({ bytes }: Depicted): boolean {
    return this.mentions.some((text) => bytes.includes(text));
  }

  private surroundingsChanged(entry: Depicted, previous: Depicted | null, isGone: boolean): void {
    const { picture, volumes } = this.deps;
    const change = picture.take(entry, previous, isGone);
    if (!change) return;
    if (change.claim) {
      if (isAboutDevices(entry)) this.deviceClaimChanged(change.claim, entry);
      else volumes.look(change.claim);
    }
    this.wakeFor(change, entry);
  }

  private deviceClaimChanged(claim: string, entry: Depicted): void {
    this.deps.devices.look(claim);
    for (const pod of this.unclaimed.naming(claim)) this.podPending(pod, entry);
  }

  private podChanged(entry: Depicted): void {
    const { picture } = this.deps;
    const pod = podOf(entry);
    const uid = pod.metadata.uid!;
    const { nodeName } = pod.spec;
    if (nodeName) {
      if (hasEnded(pod)) this.podGone(pod, entry);
      else this.podHasNode(pod, nodeName, entry);
    } else if (picture.assumed.has(uid)) {
      // The answer to its binding says more than this older state.
    } else if (this.isPending(pod)) {
      this.podPending(podInfo(pod, picture.shapes, entry.createRevision), entry);
    } else this.forget(uid);
  }

  /** Whether we are to find a node for it now. */
  private isPending(pod: DeepReadonly<Pod>): boolean {
    const decider = this.deps.deciders.get(pod.spec.schedulerName!);
    if (!decider || pod.metadata.deletionTimestamp || hasEnded(pod)) return false;
    return !decider.profile.holdsGated || !isGated(pod);
  }

  private podPending(pod: PodInfo, entry: Depicted): void {
    const { picture, queue, deciders } = this.deps;
    if (this.isUnclaimed(pod)) {
      this.forget(pod.uid);
      this.unclaimed.hold(pod);
      return;
    }
    this.unclaimed.release(pod.uid);
    const promised = pod.pod.status?.nominatedNodeName;
    // What a leader before has promised holds; later states may be older than what was promised since.
    const isKnown = queue.has(pod.uid) || picture.groups.of(pod.uid) !== undefined;
    if (promised && !isKnown) picture.nominations.nominate(pod, promised);
    const { holdsGangs } = deciders.get(pod.shape.schedulerName)!.profile;
    const group = holdsGangs ? groupNameOf(pod) : undefined;
    if (group === undefined) queue.add(pod, causeOf(entry), this.deps.nowMs());
    else if (picture.groups.addPending(pod, group)) this.groupChanged(picture.groups.of(pod.uid)!, entry);
  }

  private isUnclaimed({ shape }: PodInfo): boolean {
    const { picture, deciders } = this.deps;
    if (!shape.devices || !deciders.get(shape.schedulerName)!.profile.holdsUnclaimed) return false;
    return typeof claimsOf(shape.devices, picture.table.devices) === 'string';
  }

  /** A gang is queued as one once it has as many pods as it takes; pods of other groups are, once the group is there. */
  private groupChanged(group: Group, entry: Depicted | null): void {
    const { queue, picture } = this.deps;
    const { policy, uid } = group;
    const cause = entry && causeOf(entry);
    const nowMs = this.deps.nowMs();
    if (policy?.gang && group.isReady) {
      queue.add(group.asPod(), cause, nowMs);
      queue.reconsider(uid, cause, nowMs);
      return;
    }
    // It waits for more pods again: nobody keeps places for the others meanwhile.
    if (queue.has(uid)) for (const member of group.pending.keys()) picture.nominations.withdraw(member);
    queue.remove(uid);
    if (!policy?.basic) return;
    for (const pod of group.pending.values()) queue.add(pod, cause, nowMs);
  }

  /** It waits for nothing any more. */
  private forget(uid: string): void {
    const { groups } = this.deps.picture;
    this.waitsNoMore(uid);
    const group = groups.of(uid);
    groups.remove(uid);
    if (group) this.groupChanged(group, null);
  }

  private waitsNoMore(uid: string): void {
    this.deps.queue.remove(uid);
    this.unclaimed.release(uid);
    this.deps.picture.nominations.withdraw(uid);
  }

  private podHasNode(pod: DeepReadonly<Pod>, node: string, entry: Depicted): void {
    const { table, groups, placed, assumed, shapes } = this.deps.picture;
    const uid = pod.metadata.uid!;
    this.waitsNoMore(uid);
    placed.set(pod);
    const group = groupNameOf({ pod });
    if (group !== undefined && groups.addPlaced(uid, pod.metadata.namespace!, group)) {
      this.groupChanged(groups.of(uid)!, entry);
    }
    const isBound = assumed.delete(uid);
    const before = table.placed(uid);
    const footprint = shapes.footprint(pod);
    const isNews = table.place(uid, footprint, node);
    if (isNews && before) this.wakeFor({ events: ['PodGone'], node: before.node, peer: before.pod.peer }, entry);
    if (isNews || isBound) this.wakeFor({ events: ['PodPlaced'], node, peer: footprint.peer }, entry);
  }

  private podGone(pod: DeepReadonly<Pod>, entry: Depicted): void {
    const { table, placed, assumed } = this.deps.picture;
    const uid = pod.metadata.uid!;
    this.forget(uid);
    placed.delete(uid);
    assumed.delete(uid);
    const left = table.displace(uid);
    if (left) this.wakeFor({ events: ['PodGone'], node: left.node, peer: left.pod.peer }, entry);
  }

  private wakeFor(change: ClusterChange, entry: Depicted): void {
    const { queue, deciders, picture } = this.deps;
    if (!queue.hasRefused) return;
    const promised = picture.nominations.on(change.node);
    for (const pod of promised) this.wakePromised(pod, change.node, causeOf(entry));
    // A place that is promised to a pod may still be had by a more important one.
    const refusedBy = (shape: PodShape) =>
      promised.length > 0 ? null : deciders.get(shape.schedulerName)!.stillRefusedBy(shape, change);
    queue.wake(change.events, refusedBy, causeOf(entry), this.deps.nowMs());
  }

  /** Whether a nominated pod fits on its node now, or nobody goes for it there any more. */
  private canHave(pod: PodInfo, node: string): boolean {
    const { deciders, picture } = this.deps;
    const { table, nominations } = picture;
    if (table.slot(node) === undefined) return true;
    nominations.countFor(pod.priority);
    const decider = deciders.get(pod.shape.schedulerName)!;
    if (nominations.aside(pod.uid, () => decider.refusedBy(pod.shape, node) === null)) return true;
    return !picture.isBeingLeft(node);
  }

  /** A gang goes on when nobody is left who is to leave for any of its pods. */
  private wakePromised(pod: PodInfo, node: string, cause: CommandCause): void {
    const { queue, picture } = this.deps;
    const { groups, nominations } = picture;
    const uid = groups.queuedAs(pod.uid);
    if (uid === pod.uid) {
      if (this.canHave(pod, node)) queue.activate(uid, cause);
      return;
    }
    for (const member of groups.of(pod.uid)!.pending.keys()) {
      const promised = nominations.nodeOf(member);
      if (promised !== undefined && picture.isBeingLeft(promised)) return;
    }
    queue.activate(uid, cause);
  }
}
