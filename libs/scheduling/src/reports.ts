import { type Pod, pod as podKind } from '@periplus/api';
import { type DeepReadonly, isNotFound } from '@periplus/apimachinery';
import type { Command, CommandCause, CommandClient, EventRecorder } from '@periplus/client';
import type { Logger } from '@periplus/component';
import { type NotScheduled, notScheduled, scheduledCondition } from './commands.ts';

export interface ReportsDeps {
  commands: CommandClient;
  events: Pick<EventRecorder, 'record'>;
  log: Logger;
  nowMs(): number;
  /** Aborts what is being sent. */
  signal: AbortSignal;
}

/** As much as an Event says. */
const MESSAGE_LENGTH_MAX = 1_024;
const MORE = ' ...';

const shortened = (message: string): string =>
  message.length <= MESSAGE_LENGTH_MAX ? message : message.slice(0, MESSAGE_LENGTH_MAX - MORE.length) + MORE;

/** Whom a report is about, and which change it answers to. */
export interface Subject {
  readonly pod: { readonly pod: DeepReadonly<Pod> };
  readonly cause: CommandCause | null;
}

type Metadata = DeepReadonly<Pod>['metadata'];

/** What the scheduler tells of pods: Events, and the condition of those that fit nowhere. */
export class Reports {
  private readonly deps: ReportsDeps;
  /** What was last said, or is being said, in the condition of a pod that fits nowhere. */
  private readonly said = new WeakMap<Subject, string>();

  constructor(deps: ReportsDeps) {
    this.deps = deps;
  }

  /** Says in an event, and once in the pod's condition, why it has no node. */
  notScheduled(subject: Subject, why: NotScheduled): void {
    const { pod } = subject.pod;
    const { message, nominated } = why;
    const from = { schedulerName: pod.spec.schedulerName!, cause: subject.cause };
    this.record(pod.metadata, from, 'Warning', 'FailedScheduling', shortened(message));
    const text = JSON.stringify([message, nominated]);
    const before = JSON.stringify([scheduledCondition(pod)?.message, pod.status?.nominatedNodeName ?? null]);
    if ((this.said.get(subject) ?? before) === text) return;
    this.said.set(subject, text);
    void this.send(notScheduled(pod, why, this.deps.nowMs()), subject.cause).then((isSent) => {
      if (!isSent) this.said.delete(subject);
    });
  }

  /** Sends what is not essential. False when it was not written. */
  async send(command: Command, cause: CommandCause | null): Promise<boolean> {
    const { commands, log, signal } = this.deps;
    try {
      await commands.send(command, cause, signal);
      return true;
    } catch (error) {
      if (!signal.aborted && !isNotFound(error)) {
        log.warn({ error, pod: command.name }, 'the status of a pod was not written');
      }
      return false;
    }
  }

  /** Events may wait to be written, and be added to for minutes: they hold no more of the pod than they name. */
  record(
    { namespace, name, uid, resourceVersion }: Pick<Metadata, 'namespace' | 'name' | 'uid' | 'resourceVersion'>,
    { schedulerName, cause }: { schedulerName: string; cause: CommandCause | null },
    ...[type, reason, message]: ['Normal' | 'Warning', string, string]
  ): void {
    const about = { apiVersion: 'v1', kind: podKind.kind, metadata: { namespace, name, uid, resourceVersion } };
    this.deps.events.record({ about, type, reason, message, component: schedulerName, cause });
  }
}
