import { join } from 'node:path';
import { NODE_LOCAL_FINALIZER, type PersistentVolume, PV_PROTECTION, persistentVolume } from '@periplus/api';
import { isConflict, isNotFound } from '@periplus/apimachinery';
import type { CommandClient, RecordedEvent } from '@periplus/client';
import type { Logger } from '@periplus/component';

const RETRY_MS = 5_000;

export interface VolumeKeeperDeps {
  /** Where the node keeps volumes, each in a directory of its name. */
  directory: string;
  commands: CommandClient;
  /** Removes a directory with all that is in it; one that is not there is fine. */
  removeDirectory(path: string): Promise<void>;
  record?(event: RecordedEvent): void;
  log: Logger;
}

/** Nobody uses the volume any more, and it is this node's turn. */
const isToGo = ({ metadata: { deletionTimestamp, finalizers = [] } }: PersistentVolume): boolean =>
  deletionTimestamp !== undefined && finalizers.includes(NODE_LOCAL_FINALIZER) && !finalizers.includes(PV_PROTECTION);

/**
 * Removes the directories of volumes that this node keeps and that are to go, and then lets the objects go. What is
 * to be retained stays on the disk when its object goes.
 */
export class VolumeKeeper {
  private readonly deps: VolumeKeeperDeps;
  /** By name, the newest state of volumes that are to go. */
  private readonly going = new Map<string, PersistentVolume>();
  private readonly working = new Set<string>();
  private readonly retries = new Set<NodeJS.Timeout>();
  private closed = false;

  constructor(deps: VolumeKeeperDeps) {
    this.deps = deps;
  }

  /** A volume of this node is there, or has changed. */
  see(volume: PersistentVolume): void {
    const name = volume.metadata.name ?? '';
    if (!isToGo(volume)) return;
    this.going.set(name, volume);
    void this.work(name);
  }

  close(): void {
    this.closed = true;
    for (const timer of this.retries) clearTimeout(timer);
  }

  private async work(name: string): Promise<void> {
    if (this.working.has(name)) return;
    this.working.add(name);
    for (let volume = this.going.get(name); volume && !this.closed; volume = this.going.get(name)) {
      this.going.delete(name);
      await this.letGo(volume).catch((error: unknown) => this.failed(name, volume!, error));
    }
    this.working.delete(name);
  }

  private async letGo(volume: PersistentVolume): Promise<void> {
    const { name = '', uid, resourceVersion, finalizers = [] } = volume.metadata;
    if (volume.spec.persistentVolumeReclaimPolicy === 'Delete') {
      // Whoever may write volumes could name any other directory.
      const path = join(this.deps.directory, name);
      if (volume.spec.local?.path !== path) throw new Error(`its path is not ${path}`);
      await this.deps.removeDirectory(path);
    }
    const kept = finalizers.filter((one) => one !== NODE_LOCAL_FINALIZER);
    const target = {
      kind: persistentVolume as never,
      namespace: '',
      name,
      ifUid: uid,
      ifResourceVersion: resourceVersion,
    };
    const cause = {
      key: `core/persistentvolumes/${name}`,
      resourceVersion: resourceVersion ?? '',
      reconciler: 'node-agent',
    };
    await this.deps.commands.send(
      { verb: 'patch', type: 'merge', ...target, patch: { metadata: { finalizers: kept } } },
      cause,
    );
  }

  private failed(name: string, volume: PersistentVolume, error: unknown): void {
    // It has changed since, of which the inbox tells, or somebody else was faster.
    if (this.closed || isNotFound(error) || isConflict(error)) return;
    const message = error instanceof Error ? error.message : String(error);
    this.deps.log.warn({ volume: name, error: message }, 'could not remove a volume');
    this.deps.record?.({ about: volume, type: 'Warning', reason: 'VolumeFailedDelete', message });
    const timer = setTimeout(() => {
      this.retries.delete(timer);
      if (!this.going.has(name)) this.see(volume);
    }, RETRY_MS);
    this.retries.add(timer);
  }
}
