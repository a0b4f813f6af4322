import { type CoreEvent, coreEvent } from '@periplus/api';
import { type DeepReadonly, formatTime, isAlreadyExists, isNotFound, type KubeObject } from '@periplus/apimachinery';
import { type CorrelatedEvent, EventCorrelator } from './event-correlator.ts';
import type { Command, CommandCause, CommandClient } from './types.ts';

/** Event objects with a write that waits; when more come, the oldest are left unwritten. */
const WAITING_MAX = 10_000;
/** Writes under way. */
const IN_FLIGHT_MAX = 32;
/** While as many commands of others are under way, events must not crowd them out: then one is written at a time. */
const BUSY = 64;
const TRIES_MAX = 3;

export interface RecordedEvent {
  about: DeepReadonly<KubeObject>;
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
  /** A part of the object: `spec.containers{web}`. */
  fieldPath?: string;
  /** Reports in place of the recorder's component. */
  component?: string;
  cause?: CommandCause | null;
}

interface Tracked extends CorrelatedEvent {
  name: string;
  source: RecordedEvent;
  /** Whether the api-server has it. */
  created: boolean;
  writing: boolean;
  /** The count that the api-server has been told. */
  written: number;
  cause: CommandCause | null;
}

export interface EventRecorderDeps {
  commands: CommandClient;
  /** "kubelet", "default-scheduler", "replicaset-controller": what `kubectl describe` shows as From. */
  component: string;
  /** The node it speaks for. */
  host?: string;
  nowMs?: () => number;
  /** An event that could not be written; nothing else depends on it. */
  onLost?(error: Error): void;
}

/**
 * Records Kubernetes Events, best effort: `record` never waits and never fails. Repetitions raise `count` and
 * `lastTimestamp` of the Event that is there.
 * https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
 */
export class EventRecorder {
  private readonly deps: EventRecorderDeps;
  private readonly nowMs: () => number;
  private readonly correlator = new EventCorrelator<Tracked>();
  private readonly waiting = new Set<Tracked>();
  private inFlight = 0;
  private serial = 0;

  constructor(deps: EventRecorderDeps) {
    this.deps = deps;
    this.nowMs = deps.nowMs ?? Date.now;
  }

  record(event: RecordedEvent): void {
    const nowMs = this.nowMs();
    const { kind, metadata } = event.about;
    const { component, fieldPath } = event;
    const about = [component, kind, metadata.namespace, metadata.name, metadata.uid, fieldPath].join('/');
    const facts = { about, type: event.type, reason: event.reason, message: event.message };
    const tracked = this.correlator.correlate(facts, nowMs, (message) => ({
      count: 0,
      message,
      firstMs: nowMs,
      lastMs: nowMs,
      name: this.nameFor(metadata.name ?? '', nowMs),
      source: event,
      created: false,
      writing: false,
      written: 0,
      cause: null,
    }));
    if (!tracked) return;
    tracked.cause = event.cause ?? null;
    this.waiting.add(tracked);
    if (this.waiting.size > WAITING_MAX) this.waiting.delete(this.waiting.values().next().value!);
    this.pump();
  }

  /** Unique as long as one process has one clock: nanoseconds since the epoch, as Kubernetes names events. */
  private nameFor(object: string, nowMs: number): string {
    this.serial = (this.serial + 1) % 1_000_000;
    return `${object}.${(BigInt(Math.trunc(nowMs)) * 1_000_000n + BigInt(this.serial)).toString(16)}`;
  }

  private pump(): void {
    for (const event of this.waiting) {
      const isBusy = this.deps.commands.underWay - this.inFlight >= BUSY;
      if (this.inFlight >= (isBusy ? 1 : IN_FLIGHT_MAX)) return;
      if (event.writing) continue;
      this.waiting.delete(event);
      this.inFlight += 1;
      event.writing = true;
      void this.write(event).finally(() => {
        this.inFlight -= 1;
        event.writing = false;
        this.pump();
      });
    }
  }

  private async write(event: Tracked): Promise<void> {
    for (let tries = 1; event.written < event.count; tries++) {
      const { count } = event;
      try {
        const command = event.created ? this.raise(event) : this.create(event);
        await this.deps.commands.send(command, event.cause);
        event.created = true;
        event.written = count;
      } catch (error) {
        if (tries >= TRIES_MAX) {
          this.deps.onLost?.(error as Error);
          return;
        }
        // Gone: it begins anew under the same name. There already: an earlier try arrived, only its answer did not.
        if (event.created ? isNotFound(error) : isAlreadyExists(error)) event.created = !event.created;
      }
    }
  }

  private raise(event: Tracked): Command {
    const { count, message } = event;
    const patch = { count, message, lastTimestamp: formatTime(event.lastMs) };
    return { ...target(event), verb: 'patch', type: 'merge', patch };
  }

  private create(event: Tracked): Command {
    const { about, type, reason, fieldPath, component = this.deps.component } = event.source;
    const { host } = this.deps;
    const { name, namespace } = target(event);
    const object: CoreEvent = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace },
      involvedObject: {
        apiVersion: about.apiVersion,
        kind: about.kind,
        name: about.metadata.name,
        ...(about.metadata.namespace && { namespace: about.metadata.namespace }),
        uid: about.metadata.uid,
        resourceVersion: about.metadata.resourceVersion,
        ...(fieldPath && { fieldPath }),
      },
      reason,
      message: event.message,
      type,
      count: event.count,
      source: { component, ...(host && { host }) },
      firstTimestamp: formatTime(event.firstMs),
      lastTimestamp: formatTime(event.lastMs),
      reportingComponent: component,
      reportingInstance: host ?? '',
    };
    return { ...target(event), verb: 'create', object };
  }
}

const target = ({ name, source }: Tracked) => ({
  kind: coreEvent,
  namespace: source.about.metadata.namespace || 'default',
  name,
});
