import type { EtcdClient, RevisionBatch, WatchHandle, WatchOptions } from '@periplus/etcd';
import { expect } from 'vitest';

/** Watches a range and keeps what came. */
export class Recorder {
  readonly batches: RevisionBatch[] = [];
  readonly progress: number[] = [];
  compacted = 0;
  readonly handle: WatchHandle;

  constructor(
    client: EtcdClient,
    options: Pick<WatchOptions, 'key' | 'rangeEnd' | 'startRevision'> & Partial<WatchOptions>,
  ) {
    this.handle = client.watch({
      onRevision: (batch) => this.batches.push(batch),
      onProgress: (revision) => this.progress.push(revision),
      onCompacted: (revision) => {
        this.compacted = revision;
      },
      onFailed: (error) => expect.unreachable(error.message),
      ...options,
    });
  }

  get revisions(): number[] {
    return this.batches.map((batch) => batch.revision);
  }

  get last(): number {
    return this.batches.at(-1)?.revision ?? 0;
  }

  /** Resolves when `revision` or a later one has come. */
  reach(revision: number, timeoutMs = 20_000): Promise<void> {
    return expect.poll(() => this.last, { timeout: timeoutMs, interval: 5 }).toBeGreaterThanOrEqual(revision);
  }
}
