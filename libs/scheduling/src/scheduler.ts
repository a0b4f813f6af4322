import { type Node, node as nodeKind, type Pod, pod as podKind } from '@periplus/api';
import { type DeepReadonly, isNotFound, type KubeObject } from '@periplus/apimachinery';
import type { Change, ClusterCache, Entry } from '@periplus/cache';
import type { Command, CommandCause, CommandClient, EventRecorder } from '@periplus/client';
import type { Gauge, Histogram, Logger, Metrics } from '@periplus/component';
import { nodeEvents } from './cluster-events.ts';
import { Decider } from './decide.ts';
import { NodeTable } from './node-table.ts';
import { type PodInfo, podInfo } from './pod-info.ts';
import { SCHEDULER_NAME } from './profile.ts';
import { SchedulingQueue } from './scheduling-queue.ts';

/** Bindings under way: the api-server commits them in groups, and more would only wait there. */
const BINDINGS_MAX = 512;
/** Decisions in a row before others get their turn. */
const DECISIONS_PER_TURN = 128;

/** Registered once per process, however often it leads. */
export interface SchedulerMetrics {
  decisionSeconds: Histogram;
  pendingPods: Gauge;
}

/** Names as kube-scheduler's. https://kubernetes.io/docs/reference/instrumentation/metrics/ */
export const schedulerMetrics = (metrics: Metrics): SchedulerMetrics => ({
  decisionSeconds: metrics.histogram(
    'scheduler_scheduling_algorithm_duration_seconds',
    'Scheduling algorithm latency in seconds.',
  ),
  pendingPods: metrics.gauge('scheduler_pending_pods', 'Number of pods that have no node yet.'),
});

export interface SchedulerDeps {
  /** Must keep pods and nodes. Started. */
  cache: Pick<ClusterCache, 'list' | 'subscribe' | 'current' | 'waitFor' | 'get'>;
  commands: CommandClient;
  events: Pick<EventRecorder, 'record'>;
  metrics: SchedulerMetrics;
  log: Logger;
  nowMs?: () => number;
}

const isPod = ({ key }: Entry): boolean => key.group === '' && key.resource === 'pods';
const isNode = ({ key }: Entry): boolean => key.group === '' && key.resource === 'nodes';
const podOf = (entry: Entry): DeepReadonly<Pod> => entry.object as unknown as DeepReadonly<Pod>;
const nodeOf = (entry: Entry): DeepReadonly<Node> => entry.object as unknown as DeepReadonly<Node>;

/** Containers of a pod that has ended take nothing of their node. */
const hasEnded = (pod: DeepReadonly<Pod>): boolean =>
  pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
const isGated = (pod: DeepReadonly<Pod>): boolean => (pod.spec.schedulingGates?.length ?? 0) > 0;

/**
 * Gives every pending pod of `default-scheduler` a node. Keeps the node table and the queue up to date from the
 * cache, decides synchronously, and sends bindings many at a time. A pod counts on its node from the decision on;
 * should the binding fail, it is taken away again.
 */
export class Scheduler {
  private readonly deps: SchedulerDeps;
  private readonly nowMs: () => number;
  private readonly table = new NodeTable();
  private readonly queue = new SchedulingQueue();
  private readonly decider = new Decider(this.table);
  private readonly causes = new Map<string, CommandCause>();
  /** Decided here, and not yet seen bound in the cache. */
  private readonly assumed = new Set<string>();
  private bindings = 0;
  private running = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(deps: SchedulerDeps) {
    this.deps = deps;
    this.nowMs = deps.nowMs ?? Date.now;
    deps.metrics.pendingPods.observe(() => this.queue.size);
  }

  /** Schedules until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { cache } = this.deps;
    const of = ({ group, plural }: { group: string; plural: string }) => ({ group, resource: plural });
    for (const entry of cache.list(of(nodeKind))) this.table.setNode(nodeOf(entry));
    for (const entry of cache.list(of(podKind))) this.podChanged(entry);
    const unsubscribe = cache.subscribe((_, changes) => this.apply(changes));
    this.running = true;
    this.wakeUp();
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.running = false;
    clearTimeout(this.timer);
    unsubscribe();
  }

  private apply(changes: readonly Change[]): void {
    for (const { type, entry, previous } of changes) {
      if (isNode(entry)) this.nodeChanged(type, nodeOf(entry), previous && nodeOf(previous));
      else if (!isPod(entry)) continue;
      else if (type === 'deleted') this.podGone(podOf(entry));
      else this.podChanged(entry);
    }
    this.wakeUp();
  }

  private nodeChanged(type: Change['type'], node: DeepReadonly<Node>, old: DeepReadonly<Node> | null): void {
    if (type === 'deleted') {
      this.table.removeNode(node.metadata.name!);
      return;
    }
    const events = nodeEvents(node, type === 'added' ? null : old);
    if (events.length === 0) return;
    this.table.setNode(node);
    for (const event of events) this.queue.wake(event);
  }

  private podChanged(entry: Entry): void {
    const pod = podOf(entry);
    const uid = pod.metadata.uid!;
    if (pod.spec.nodeName) {
      this.forget(uid);
      if (hasEnded(pod)) this.podGone(pod);
      else this.table.place(podInfo(pod), pod.spec.nodeName);
      return;
    }
    if (this.assumed.has(uid)) return;
    if (pod.spec.schedulerName !== SCHEDULER_NAME || isGated(pod) || pod.metadata.deletionTimestamp || hasEnded(pod)) {
      this.forget(uid);
      return;
    }
    this.causes.set(uid, causeOf(entry));
    this.queue.add(podInfo(pod));
  }

  private podGone(pod: DeepReadonly<Pod>): void {
    const uid = pod.metadata.uid!;
    this.forget(uid);
    if (this.table.nodeOf(uid) === undefined) return;
    this.table.displace(uid);
    this.queue.wake('PodGone');
  }

  private forget(uid: string): void {
    this.queue.remove(uid);
    this.causes.delete(uid);
    this.assumed.delete(uid);
  }

  /** Goes on with the queue in a turn of its own, now or when its next pod is due. */
  private wakeUp(): void {
    if (!this.running || this.bindings >= BINDINGS_MAX) return;
    clearTimeout(this.timer);
    const next = this.queue.nextMs();
    if (next === undefined) return;
    this.timer = setTimeout(() => this.turn(), Math.max(0, next - this.nowMs()));
  }

  private turn(): void {
    for (let decisions = 0; decisions < DECISIONS_PER_TURN && this.bindings < BINDINGS_MAX; decisions += 1) {
      const pod = this.queue.pop(this.nowMs());
      if (!pod) break;
      this.schedule(pod);
    }
    this.wakeUp();
  }

  private schedule(pod: PodInfo): void {
    const started = performance.now();
    const decision = this.decider.decide(pod);
    this.deps.metrics.decisionSeconds.observe((performance.now() - started) / 1000);
    const cause = this.causes.get(pod.uid) ?? null;
    if (decision.node === null) {
      this.queue.refuse(pod.uid, decision.wakesOn, this.nowMs());
      this.report(pod, decision.message, cause);
      return;
    }
    this.assumed.add(pod.uid);
    this.table.place(pod, decision.node);
    this.bindings += 1;
    void this.bind(pod, decision.node, cause);
  }

  private async bind(pod: PodInfo, node: string, cause: CommandCause | null): Promise<void> {
    const { commands, events, log } = this.deps;
    const { namespace, name } = pod.pod.metadata;
    try {
      await commands.send(binding(pod, node), cause);
      this.queue.remove(pod.uid);
      const message = `Successfully assigned ${namespace}/${name} to ${node}`;
      events.record({
        about: pod.pod as DeepReadonly<KubeObject>,
        type: 'Normal',
        reason: 'Scheduled',
        message,
        cause,
      });
    } catch (error) {
      log.warn({ error, pod: `${namespace}/${name}`, node }, 'binding failed');
      await this.bindingFailed(pod, error);
    } finally {
      this.bindings -= 1;
      this.wakeUp();
    }
  }

  /** What the cache shows decides, once it has everything that was committed before: the binding may have happened. */
  private async bindingFailed(pod: PodInfo, error: unknown): Promise<void> {
    const { cache } = this.deps;
    if (!isNotFound(error)) {
      try {
        await cache.waitFor(await cache.current());
      } catch {
        // etcd is away: nothing can be bound meanwhile either, and the cache catches up when it is back.
      }
    }
    if (!this.assumed.delete(pod.uid)) return;
    this.table.displace(pod.uid);
    this.queue.wake('PodGone');
    this.queue.retry(pod.uid, this.nowMs());
  }

  /** Says in the pod's condition and in an event why it has no node. */
  private report(pod: PodInfo, message: string, cause: CommandCause | null): void {
    const about = pod.pod as DeepReadonly<KubeObject>;
    this.deps.events.record({ about, type: 'Warning', reason: 'FailedScheduling', message, cause });
    const before = pod.pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
    if (before?.status === 'False' && before.message === message) return;
    this.deps.commands.send(unschedulable(pod, message, this.nowMs()), cause).catch((error: unknown) => {
      if (!isNotFound(error))
        this.deps.log.warn({ error, pod: pod.pod.metadata.name }, 'the PodScheduled condition was not written');
    });
  }
}

const causeOf = ({ key, resourceVersion }: Entry): CommandCause => ({
  key: `core/${key.resource}/${key.namespace}/${key.name}`,
  resourceVersion,
  reconciler: 'scheduler',
});

const target = ({ pod }: PodInfo) => ({
  kind: podKind,
  namespace: pod.metadata.namespace!,
  name: pod.metadata.name!,
  ifUid: pod.metadata.uid!,
});

/** https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/binding-v1/ */
function binding(pod: PodInfo, node: string): Command {
  const { namespace, name, uid } = pod.pod.metadata;
  const object = {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { namespace, name, uid },
    target: { kind: 'Node', name: node },
  };
  return { ...target(pod), subresource: 'binding', verb: 'create', object };
}

function unschedulable(pod: PodInfo, message: string, nowMs: number): Command {
  const condition = {
    type: 'PodScheduled',
    status: 'False',
    reason: 'Unschedulable',
    message,
    lastProbeTime: null,
    lastTransitionTime: new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z'),
  };
  const patch = { status: { conditions: [condition] } };
  return { ...target(pod), subresource: 'status', verb: 'patch', type: 'strategic', patch };
}
