import type { Kind } from '@periplus/api';
import { versionOfRevision } from '@periplus/apimachinery';
import { type Change, endOf, type Version } from '@periplus/cache';
import type { Selection } from '../reading/selection.ts';
import type { WatchEncoding, WatchEvent } from '../types.ts';
import { Chunk } from './chunk.ts';
import { bookmark, eventOf, transition } from './transition.ts';

/** What a watch is about, and how it wants it. Equal ones share a group. */
export interface WatchSubject {
  readonly kind: Kind;
  /** '' for all. */
  readonly namespace: string;
  readonly selection: Selection;
  readonly encoding: WatchEncoding;
  readonly bookmarks: boolean;
}

export const subjectId = ({ kind, namespace, selection, encoding, bookmarks }: WatchSubject): string =>
  [kind.group, kind.version, kind.plural, namespace, encoding.name, String(bookmarks), selection.id].join('\n');

/** What happened to a subject between two places of the log. */
export interface Delivery {
  readonly from: Version;
  readonly to: Version;
  readonly chunk: Chunk;
  /** The first event of the chunk, encoded for a watch that has had none; null when that makes no difference. */
  readonly first: (() => Buffer) | null;
}

/** A watch that has nothing to catch up with. */
export interface LiveWatcher {
  deliver(delivery: Delivery): void;
}

/** Frames of one change, shared by all groups that encode alike. */
export type SharedFrames = Map<string, Buffer>;

/** All live watches of one subject. What happens is encoded once for all of them and delivered in chunks. */
export class WatchGroup {
  readonly subject: WatchSubject;
  readonly members = new Set<LiveWatcher>();
  private frames: Buffer[] = [];
  /** Just before the change that the first frame is of. */
  private from = endOf(0);
  private firstEvent: WatchEvent | null = null;

  constructor(subject: WatchSubject) {
    this.subject = subject;
  }

  get hasNews(): boolean {
    return this.frames.length > 0;
  }

  take(change: Change, shared: SharedFrames): void {
    const { kind, selection, encoding } = this.subject;
    const type = transition(selection, kind, change);
    if (type === undefined) return;
    const id = `${kind.group}/${kind.version} ${type} ${encoding.name}`;
    let frame = shared.get(id);
    if (frame === undefined || this.needsFirst()) {
      const event = eventOf(type, kind, change);
      if (this.needsFirst()) this.firstEvent = event;
      frame ??= encoding.encode(event);
      shared.set(id, frame);
    }
    this.add(frame, change.entry.revision);
  }

  /** Says how far the watches have come, so that they need not start over when nothing happens for long. */
  addBookmark(revision: number): void {
    const { kind, encoding, bookmarks } = this.subject;
    if (!bookmarks) return;
    const event = bookmark(kind, versionOfRevision(revision), false);
    if (this.needsFirst()) this.firstEvent = event;
    this.add(encoding.encode(event), revision);
  }

  /** Delivers what has come together, which is all up to `revision`. */
  flush(revision: number): void {
    const { frames, firstEvent } = this;
    if (frames.length === 0) return;
    this.frames = [];
    this.firstEvent = null;
    const chunk = new Chunk(frames);
    const { encoding } = this.subject;
    const first = firstEvent && encoding.encodeFirst ? () => encoding.encodeFirst!(firstEvent) : null;
    const delivery = { from: this.from, to: endOf(revision), chunk, first };
    for (const member of this.members) member.deliver(delivery);
  }

  private add(frame: Buffer, revision: number): void {
    // Whole revisions are taken at a time, so the one before is complete.
    if (this.frames.length === 0) this.from = endOf(revision - 1);
    this.frames.push(frame);
  }

  private needsFirst(): boolean {
    return this.frames.length === 0 && this.firstEvent === null && this.subject.encoding.encodeFirst !== undefined;
  }
}
