import { dayOf, LAST_USED, type Secret, secret } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import { ownContext } from '../own-context.ts';
import type { Operations, Target } from '../types.ts';

/** Secrets that are written at once; the use of others is noted when they are used again. */
const WRITES_MAX = 16;
const DAY_MS = 86_400_000;

/**
 * Notes on Secrets the day that their tokens were used last, so that tokens of use to nobody can be told. Nobody waits for
 * it, and one that cannot be written is noted at its next use.
 */
export class LegacyTokenUses {
  private readonly now: () => number;
  private readonly writing = new Set<string>();
  private operations: Pick<Operations, 'patch'> | null = null;

  constructor(now: () => number) {
    this.now = now;
  }

  /** From now on uses are written: who lets users in is there before what they can do. */
  writeTo(operations: Pick<Operations, 'patch'>): void {
    this.operations = operations;
  }

  note({ metadata }: DeepReadonly<Secret>): void {
    const nowMs = this.now();
    const { namespace = '', name = '', uid = '' } = metadata;
    const day = dayOf(nowMs);
    const noted = metadata.labels?.[LAST_USED];
    // A server whose clock is ahead may have noted tomorrow.
    if (noted === day || noted === dayOf(nowMs + DAY_MS)) return;
    if (!this.operations || this.writing.has(uid) || this.writing.size >= WRITES_MAX) return;
    this.writing.add(uid);
    const target: Target = { kind: secret as unknown as Target['kind'], namespace, name, subresource: '' };
    const patch = {
      mediaType: 'application/merge-patch+json',
      body: { value: { metadata: { labels: { [LAST_USED]: day } } }, json: null },
    };
    this.operations.patch(ownContext(nowMs), target, patch, { uid }).then(
      () => this.writing.delete(uid),
      () => this.writing.delete(uid),
    );
  }
}
