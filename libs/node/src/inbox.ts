import type { PersistentVolume } from '@periplus/api';
import type { Logger } from '@periplus/component';
import type { EtcdClient, KeyValue } from '@periplus/etcd';
import { decodeInboxRecord, type Keys } from '@periplus/store';
import type { Pod } from './pod/pod-types.ts';
import { RangeFollower } from './range-follower.ts';

interface InboxListener {
  /** A pod is there, or has changed. */
  onPod(node: string, pod: Pod): void;
  /** A pod is gone, or its place is taken by a namesake, which follows. */
  onGone(node: string, uid: string): void;
  /** A volume that the node keeps is there, or has changed. */
  onVolume(node: string, volume: PersistentVolume): void;
  /** Everything that was there has been told of. Again after the inbox had to be listed anew. */
  onListed(): void;
}

export interface InboxDeps {
  etcd: EtcdClient;
  keys: Keys;
  /** Absent: the inboxes of all nodes. */
  node?: string;
  listener: InboxListener;
  log: Logger;
}

/** Follows the pods that are bound to a node, and the volumes that it keeps. */
export class Inbox {
  private readonly deps: InboxDeps;
  private readonly follower: RangeFollower;
  /** Etcd key to the pod that was told of. */
  private readonly known = new Map<string, { node: string; uid: string }>();

  constructor(deps: InboxDeps) {
    this.deps = deps;
    const { etcd, keys, node, listener, log } = deps;
    this.follower = new RangeFollower({
      ...{ etcd, log, range: keys.inboxRange(node), what: 'the inbox' },
      onPut: (kv) => this.put(kv),
      onDelete: (key) => this.remove(key),
      onListed: () => listener.onListed(),
    });
  }

  start(): void {
    this.follower.start();
  }

  close(): void {
    this.follower.close();
  }

  private put(kv: KeyValue): void {
    const { keys, listener, log } = this.deps;
    const found = keys.parseInbox(kv.key);
    if (!found) return;
    const { node, key } = found;
    let object: unknown;
    try {
      object = JSON.parse(decodeInboxRecord(kv, keys).bytes.toString());
    } catch (error) {
      log.error({ etcdKey: kv.key, error: (error as Error).message }, 'a record in the inbox can not be read');
      return;
    }
    if (key.resource === 'pods') this.putPod(kv.key, node, object as Pod);
    else if (key.resource === 'persistentvolumes') listener.onVolume(node, object as PersistentVolume);
  }

  private putPod(etcdKey: string, node: string, pod: Pod): void {
    const { listener } = this.deps;
    const { uid } = pod.metadata;
    const before = this.known.get(etcdKey);
    if (before && before.uid !== uid) listener.onGone(before.node, before.uid);
    this.known.set(etcdKey, { node, uid });
    listener.onPod(node, pod);
  }

  private remove(key: string): void {
    const before = this.known.get(key);
    if (!before) return;
    this.known.delete(key);
    this.deps.listener.onGone(before.node, before.uid);
  }
}
