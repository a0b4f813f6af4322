import { type Kind, pod as podKind, sameValue } from '@periplus/api';
import { isNotFound, type JsonObject } from '@periplus/apimachinery';
import type { CommandCause, CommandClient } from '@periplus/client';
import type { Pod, PodStatus } from '../pod/pod-types.ts';

/** A pod that comes up fast is told of once: steps on the way wait this long for the next. */
const STEP_MS = 500;
const RETRY_MS_MIN = 200;
const RETRY_MS_MAX = 5_000;

interface Entry {
  pod: Pod;
  /** As the api-server has it, as far as is known. */
  told: PodStatus;
  /** The version of the newest write of this sender. */
  toldVersion: number;
  wanted: PodStatus | null;
  sending: boolean;
  timer: NodeJS.Timeout | null;
  retryMs: number;
  /** Called once nothing is left to send. */
  settled: (() => void)[];
}

/** Sends the newest status of each pod, only when it differs, one at a time per pod. */
export class StatusSender {
  private readonly commands: CommandClient;
  private readonly onError: (error: unknown, pod: Pod) => void;
  private readonly entries = new Map<string, Entry>();
  private closed = false;

  constructor(commands: CommandClient, onError: (error: unknown, pod: Pod) => void) {
    this.commands = commands;
    this.onError = onError;
  }

  /** What is to be told. Replaces what has not been sent yet. */
  set(pod: Pod, status: PodStatus): void {
    const entry = this.entryOf(pod);
    if (!entry.sending && versionOf(pod) >= entry.toldVersion) entry.told = pod.status ?? {};
    entry.pod = pod;
    entry.wanted = status;
    if (entry.sending || isHeldBack(entry) || this.closed) return;
    const delayMs = isStep(entry.told, status) ? STEP_MS : 0;
    if (entry.timer && delayMs > 0) return;
    this.schedule(entry, delayMs);
  }

  /** Resolves when the pod's status has been told, or can't be any more. */
  flush(uid: string): Promise<void> {
    const entry = this.entries.get(uid);
    if (!entry || (!entry.wanted && !entry.sending)) return Promise.resolve();
    return new Promise((resolve) => {
      entry.settled.push(resolve);
      if (!entry.sending && !isHeldBack(entry)) this.schedule(entry, 0);
    });
  }

  forget(uid: string): void {
    const entry = this.entries.get(uid);
    if (!entry) return;
    if (entry.timer) clearTimeout(entry.timer);
    entry.wanted = null;
    this.entries.delete(uid);
    for (const resolve of entry.settled) resolve();
  }

  close(): void {
    this.closed = true;
    for (const uid of [...this.entries.keys()]) this.forget(uid);
  }

  private entryOf(pod: Pod): Entry {
    const { uid } = pod.metadata;
    let entry = this.entries.get(uid);
    if (!entry) {
      entry = {
        ...{ pod, told: pod.status ?? {}, toldVersion: versionOf(pod), wanted: null, sending: false, timer: null },
        ...{ retryMs: RETRY_MS_MIN, settled: [] },
      };
      this.entries.set(uid, entry);
    }
    return entry;
  }

  private schedule(entry: Entry, delayMs: number): void {
    if (entry.timer) clearTimeout(entry.timer);
    entry.timer = null;
    if (delayMs === 0) void this.send(entry);
    else entry.timer = setTimeout(() => void this.send(entry), delayMs);
  }

  private async send(entry: Entry): Promise<void> {
    entry.timer = null;
    const { pod, wanted } = entry;
    if (entry.sending) return;
    const patch = wanted && statusPatch(entry.told, wanted);
    entry.wanted = null;
    if (!patch) {
      this.settle(entry);
      return;
    }
    entry.sending = true;
    try {
      const { resourceVersion } = await this.commands.send(
        {
          verb: 'patch',
          type: 'strategic',
          kind: podKind as unknown as Kind,
          namespace: pod.metadata.namespace,
          name: pod.metadata.name,
          subresource: 'status',
          ifUid: pod.metadata.uid,
          patch: { status: patch },
        },
        causeOf(pod),
      );
      entry.told = wanted;
      if (resourceVersion) entry.toldVersion = Number(resourceVersion);
      entry.retryMs = RETRY_MS_MIN;
    } catch (error) {
      // Gone: nobody to tell. A conflict may come of anybody's write; a namesake's pod is forgotten soon.
      if (!isNotFound(error) && this.entries.get(pod.metadata.uid) === entry) {
        this.onError(error, pod);
        entry.wanted ??= wanted;
        entry.retryMs = Math.min(entry.retryMs * 2, RETRY_MS_MAX);
        entry.sending = false;
        if (!this.closed) this.schedule(entry, entry.retryMs);
        return;
      }
    }
    entry.sending = false;
    if (entry.wanted) this.schedule(entry, 0);
    else this.settle(entry);
  }

  private settle(entry: Entry): void {
    for (const resolve of entry.settled.splice(0)) resolve();
  }
}

/** After a failure: the newest status goes when it is time to try again, however often it changes until then. */
const isHeldBack = ({ timer, retryMs }: Entry): boolean => timer !== null && retryMs > RETRY_MS_MIN;

const versionOf = ({ metadata }: Pod): number => Number(metadata.resourceVersion ?? 0);

export const causeOf = ({ metadata }: Pod): CommandCause => ({
  key: `core/pods/${metadata.namespace}/${metadata.name}`,
  resourceVersion: metadata.resourceVersion ?? '',
  reconciler: 'node-agent/pod',
});

/** Whether only the way to readiness changed, which nobody acts on: an address, a waiting reason. */
function isStep(told: PodStatus, wanted: PodStatus): boolean {
  const isReady = (status: PodStatus): boolean =>
    status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
  return wanted.phase === 'Pending' && (told.phase ?? 'Pending') === 'Pending' && !isReady(told) && !isReady(wanted);
}

/** A pod whose sandbox was made anew has other addresses in place of those before, and would have both of them. */
const ADDRESS_LISTS = new Set(['podIPs', 'hostIPs']);

/** What has to change, as a merge of the top level; undefined when nothing. */
export function statusPatch(told: PodStatus, wanted: PodStatus): JsonObject | undefined {
  const patch: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(wanted)) {
    if (name === 'conditions' || sameValue(told[name as keyof PodStatus], value)) continue;
    patch[name] = ADDRESS_LISTS.has(name) ? [{ $patch: 'replace' }, ...(value as object[])] : value;
  }
  const conditions = (wanted.conditions ?? []).flatMap((condition) => {
    const before = told.conditions?.find(({ type }) => type === condition.type);
    if (sameValue(before, condition)) return [];
    // A reason of before would stay, as members are merged too.
    const gone = Object.keys(before ?? {}).filter((name) => condition[name as keyof typeof condition] === undefined);
    return [{ ...condition, ...Object.fromEntries(gone.map((name) => [name, null])) }];
  });
  // Merged by type: what others have set stays.
  if (conditions.length > 0) patch.conditions = conditions;
  for (const name of ['reason', 'message', 'podIP', 'podIPs'] as const) {
    if (told[name] !== undefined && wanted[name] === undefined) patch[name] = null;
  }
  return Object.keys(patch).length > 0 ? (patch as JsonObject) : undefined;
}
