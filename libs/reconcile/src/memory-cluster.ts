import type { Kind } from '@periplus/api';
import {
  alreadyExists,
  applyJsonPatch,
  applyMergePatch,
  applyStrategicMergePatch,
  conflict,
  type DeepReadonly,
  type JsonObject,
  type KubeObject,
  notFound,
  staleVersion,
  versionOfWrite,
} from '@periplus/apimachinery';
import type { Change, Entry } from '@periplus/cache';
import type { Command, CommandCause, CommandClient, CommandOutcome } from '@periplus/client';
import { registryKey } from './change-routing.ts';
import { MemoryView } from './memory-view.ts';
import type { ClusterSource } from './types.ts';

type Body = KubeObject & { spec?: unknown; status?: unknown };

const frozen = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) frozen(member);
  }
  return value;
};

/** By a finalizer, or a namespace's content. */
const isHeld = ({ metadata, spec }: Body): boolean =>
  Boolean(metadata.finalizers?.length || (spec as { finalizers?: string[] } | undefined)?.finalizers?.length);

const patched = (present: Entry, { kind, type, patch }: Extract<Command, { verb: 'patch' }>): JsonObject => {
  const document = structuredClone(present.object) as unknown as JsonObject;
  if (type === 'merge') return applyMergePatch(document, patch as JsonObject);
  if (type === 'strategic') return applyStrategicMergePatch(document, patch as JsonObject, kind.schema);
  return applyJsonPatch(document, patch as JsonObject) as JsonObject;
};

/**
 * A cluster in memory for tests of controllers: takes commands as the api-server would (uid, generation, versions,
 * preconditions, finalizers, grace, bindings), and is the cache that shows their effect. With `lagging` set, changes show only
 * when `deliver` is called. No admission, defaults or validation. Objects are frozen, so a reconciler that writes to
 * its view fails.
 */
export class MemoryCluster implements ClusterSource, CommandClient {
  readonly underWay = 0;
  nowMs = Date.parse('2026-01-01T00:00:00Z');
  lagging = false;
  readonly sent: { command: Command; cause: CommandCause | null }[] = [];
  private readonly aliveNodes = new Set<string>();
  private readonly committed = new Map<string, Entry>();
  private readonly visible = new Map<string, Entry>();
  private committedRevision = 1;
  private visibleRevision = 1;
  private undelivered: { revision: number; changes: Change[] }[] = [];
  private lastUid = 0;
  private readonly listeners = new Set<(revision: number, changes: readonly Change[]) => void>();
  private readonly livenessListeners = new Set<(node: string, alive: boolean, revision: number) => void>();
  private waiting: { revision: number; resolve(): void }[] = [];

  view(nowMs = this.nowMs): MemoryView {
    const { visible: entries, aliveNodes, visibleRevision: revision } = this;
    return new MemoryView({ revision, nowMs, entries, aliveNodes });
  }

  /** What is committed, delivered or not. */
  truth(nowMs = this.nowMs): MemoryView {
    const { committed: entries, aliveNodes, committedRevision: revision } = this;
    return new MemoryView({ revision, nowMs, entries, aliveNodes });
  }

  subscribe(listener: (revision: number, changes: readonly Change[]) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  subscribeLiveness(listener: (node: string, alive: boolean, revision: number) => void): () => void {
    this.livenessListeners.add(listener);
    return () => this.livenessListeners.delete(listener);
  }

  /** A node's liveness key comes or goes. */
  setAlive(node: string, alive: boolean): void {
    if (alive) this.aliveNodes.add(node);
    else this.aliveNodes.delete(node);
    for (const listener of this.livenessListeners) listener(node, alive, this.visibleRevision);
  }

  async waitFor(revision: number): Promise<void> {
    if (revision <= this.visibleRevision) return;
    await new Promise<void>((resolve) => this.waiting.push({ revision, resolve }));
  }

  async current(): Promise<number> {
    return this.committedRevision;
  }

  async close(): Promise<void> {}

  async send(command: Command, cause: CommandCause | null): Promise<CommandOutcome> {
    this.sent.push({ command, cause });
    return this.apply(command);
  }

  /** Applies a command at once; throws StatusError. */
  apply(command: Command): CommandOutcome {
    const { kind, namespace, name } = command;
    const of = { group: kind.group, resource: kind.plural };
    const present = this.committed.get(registryKey({ ...of, namespace, name }));
    if (command.verb === 'create' && command.subresource !== 'binding') {
      if (present) throw alreadyExists(of, name);
      return this.create(kind, {
        ...command.object,
        metadata: { ...command.object.metadata, namespace, name },
      } as Body);
    }
    if (!present) throw notFound(of, name);
    const version =
      command.ifResourceVersion ?? (command.verb === 'update' ? command.object.metadata.resourceVersion : undefined);
    if (command.ifUid !== undefined && command.ifUid !== present.object.metadata.uid) {
      throw conflict(of, name, 'Precondition failed: UID in precondition does not match');
    }
    if (version !== undefined && version !== present.resourceVersion) throw staleVersion(of, name);
    if (command.verb === 'create') {
      return kind.plural === 'podgroups' ? this.bindGroup(present, command.object) : this.bind(present, command.object);
    }
    if (command.verb === 'delete') return this.delete(kind, present, command);
    const wanted = command.verb === 'update' ? command.object : patched(present, command);
    return this.update(kind, present, wanted as KubeObject, command.subresource);
  }

  /** Creates or replaces an object as a user would; for status too. */
  put<T extends KubeObject>(kind: Kind<T>, object: T): T {
    const { namespace = '', name = '' } = object.metadata;
    const key = { group: kind.group, resource: kind.plural, namespace, name };
    const present = this.committed.get(registryKey(key));
    if (!present) this.create(kind as Kind, object, true);
    else this.write(key, { ...object, metadata: { ...present.object.metadata, ...object.metadata } } as Body, present);
    return this.committed.get(registryKey(key))!.object as T;
  }

  /** Takes the object away whatever holds it: the end of a kubelet's work, or a forced deletion. */
  remove(kind: Kind, namespace: string, name: string): void {
    const present = this.committed.get(registryKey({ group: kind.group, resource: kind.plural, namespace, name }));
    if (present) this.erase(present);
  }

  /** Shows everything committed so far, or the oldest `count` revisions of it. */
  deliver(count = Number.POSITIVE_INFINITY): void {
    for (const { revision, changes } of this.undelivered.splice(0, count)) {
      this.visibleRevision = revision;
      for (const { type, entry } of changes) {
        if (type === 'deleted') this.visible.delete(registryKey(entry.key));
        else this.visible.set(registryKey(entry.key), entry);
      }
      for (const listener of this.listeners) listener(revision, changes);
    }
    const due = this.waiting.filter(({ revision }) => revision <= this.visibleRevision);
    this.waiting = this.waiting.filter(({ revision }) => revision > this.visibleRevision);
    for (const { resolve } of due) resolve();
  }

  private create(kind: Kind, object: KubeObject, keepStatus = false): CommandOutcome {
    const { namespace = '', name = '' } = object.metadata;
    const body: Body = structuredClone(object);
    if (kind.hasStatus && !keepStatus) body.status = {};
    this.lastUid += 1;
    body.metadata = {
      uid: `uid-${this.lastUid}`,
      creationTimestamp: new Date(this.nowMs).toISOString(),
      generation: 1,
      ...body.metadata,
    };
    return this.write({ group: kind.group, resource: kind.plural, namespace, name }, body, undefined);
  }

  /** All pods of a group, or none: refused before the first is bound. */
  private bindGroup(present: Entry, binding: DeepReadonly<KubeObject>): CommandOutcome {
    const { namespace } = present.key;
    const { bindings } = binding as unknown as { bindings: { name: string; uid: string; node: string }[] };
    const pods = bindings.map(({ name, uid, node }) => {
      const pod = this.committed.get(registryKey({ group: '', resource: 'pods', namespace, name }));
      if (!pod) throw notFound({ group: '', resource: 'pods' }, name);
      const { metadata, spec } = pod.object as Body & { spec: { nodeName?: string } };
      if (metadata.uid !== uid || metadata.deletionTimestamp || spec.nodeName) {
        throw conflict({ group: '', resource: 'pods/binding' }, name, 'cannot be bound');
      }
      return { pod, node };
    });
    const outcomes = pods.map(({ pod, node }) => this.bind(pod, { target: { name: node } } as never));
    return outcomes[0]!;
  }

  private bind(present: Entry, binding: DeepReadonly<KubeObject>): CommandOutcome {
    const old = present.object as Body & { spec: { nodeName?: string } };
    const { name, deletionTimestamp } = old.metadata;
    const refuse = (why: string): never => {
      throw conflict({ group: '', resource: 'pods/binding' }, name ?? '', why);
    };
    if (deletionTimestamp) refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
    if (old.spec.nodeName) refuse(`pod ${name} is already assigned to node "${old.spec.nodeName}"`);
    const { target } = binding as unknown as { target: { name: string } };
    return this.write(present.key, { ...old, spec: { ...old.spec, nodeName: target.name } }, present);
  }

  private update(kind: Kind, present: Entry, wanted: KubeObject, subresource: string | undefined): CommandOutcome {
    const old = present.object as Body;
    const next = structuredClone(wanted) as Body;
    const { uid, creationTimestamp, deletionTimestamp } = old.metadata;
    Object.assign(next.metadata, { uid, creationTimestamp, ...(deletionTimestamp && { deletionTimestamp }) });
    const body: Body = subresource === 'status' ? { ...old, metadata: next.metadata, status: next.status } : next;
    if (kind.hasStatus && subresource !== 'status') body.status = old.status;
    const specChanged = JSON.stringify(body.spec) !== JSON.stringify(old.spec);
    body.metadata = { ...body.metadata, generation: (old.metadata.generation ?? 1) + (specChanged ? 1 : 0) };
    if (deletionTimestamp && !isHeld(body) && !body.metadata.deletionGracePeriodSeconds) return this.erase(present);
    const { resourceVersion: _, ...metadata } = body.metadata;
    if (JSON.stringify({ ...body, metadata: { ...metadata, resourceVersion: undefined } }) === withoutVersion(old)) {
      return { resourceVersion: present.resourceVersion, revision: present.revision };
    }
    return this.write(present.key, { ...body, metadata }, present);
  }

  private delete(kind: Kind, present: Entry, command: Extract<Command, { verb: 'delete' }>): CommandOutcome {
    const old = present.object as Body;
    const finalizers = new Set(old.metadata.finalizers);
    if (command.propagationPolicy === 'Foreground') finalizers.add('foregroundDeletion');
    if (command.propagationPolicy === 'Orphan') finalizers.add('orphan');
    const spec = old.spec as JsonObject | undefined;
    const bound = kind.plural === 'pods' && spec?.nodeName;
    const graceSeconds = bound ? (command.gracePeriodSeconds ?? 30) : 0;
    if (finalizers.size === 0 && graceSeconds === 0 && !isHeld(old)) return this.erase(present);
    const metadata = {
      ...old.metadata,
      deletionTimestamp: old.metadata.deletionTimestamp ?? new Date(this.nowMs + graceSeconds * 1000).toISOString(),
      deletionGracePeriodSeconds: graceSeconds,
      ...(finalizers.size > 0 && { finalizers: [...finalizers] }),
    };
    const { disruption } = command;
    const condition = { type: 'DisruptionTarget', status: 'True', ...disruption };
    const { conditions = [], ...status } = (old.status ?? {}) as { conditions?: object[] };
    const told = disruption ? { status: { ...status, conditions: [...conditions, condition] } } : {};
    return this.write(present.key, { ...old, metadata, ...told } as Body, present);
  }

  private write(key: Entry['key'], body: Body, previous: Entry | undefined): CommandOutcome {
    const revision = ++this.committedRevision;
    const resourceVersion = versionOfWrite(revision, 0);
    const object = frozen(structuredClone({ ...body, metadata: { ...body.metadata, resourceVersion } }));
    const entry = this.entryOf(key, object, revision, previous?.createRevision ?? revision);
    this.committed.set(registryKey(key), entry);
    this.commit(revision, { type: previous ? 'modified' : 'added', entry, previous: previous ?? null });
    return { resourceVersion, revision };
  }

  private erase(present: Entry): CommandOutcome {
    const revision = ++this.committedRevision;
    this.committed.delete(registryKey(present.key));
    const entry = this.entryOf(present.key, present.object, revision, present.createRevision);
    this.commit(revision, { type: 'deleted', entry, previous: present });
    return { resourceVersion: entry.resourceVersion, revision };
  }

  private entryOf(key: Entry['key'], object: Entry['object'], revision: number, createRevision: number): Entry {
    const provenance = { actor: 'test', verb: 'update', timeMs: this.nowMs, requestId: String(revision), cause: null };
    const resourceVersion = versionOfWrite(revision, 0);
    const bytes = Buffer.from(JSON.stringify(object));
    const owners = object.metadata.ownerReferences ?? [];
    const mentions = (text: string): boolean => bytes.includes(text);
    return { key, revision, createRevision, index: 0, resourceVersion, provenance, bytes, owners, mentions, object };
  }

  private commit(revision: number, change: Change): void {
    this.undelivered.push({ revision, changes: [change] });
    if (!this.lagging) this.deliver();
  }
}

const withoutVersion = (object: Body): string =>
  JSON.stringify({ ...object, metadata: { ...object.metadata, resourceVersion: undefined } });
