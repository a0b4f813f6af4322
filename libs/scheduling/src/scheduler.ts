import { setTimeout as pause } from 'node:timers/promises';
import {
  podDisruptionBudget as budgetKind,
  podGroup as groupKind,
  type Node,
  namespace as namespaceKind,
  node as nodeKind,
  type Pod,
  pod as podKind,
} from '@periplus/api';
import type { DeepReadonly, Labels } from '@periplus/apimachinery';
import type { Change, ClusterCache, Entry } from '@periplus/cache';
import type { CommandClient, EventRecorder } from '@periplus/client';
import type { Logger } from '@periplus/component';
import { nodeEvents } from './cluster-events.ts';
import { binding, causeOf, groupBinding, groupUnschedulable, noLongerNominated } from './commands.ts';
import { Decider, type Decision, type Refusal } from './decide.ts';
import { decideGang, type GangDecision, type Placement } from './gangs/decide-gang.ts';
import { type Group, groupNameOf, PodGroups } from './gangs/pod-groups.ts';
import { observeQueue, type SchedulerMetrics } from './metrics.ts';
import { NodeTable } from './node-table.ts';
import type { ClusterChange } from './plugin.ts';
import { isGated } from './plugins/scheduling-gates.ts';
import { type PodInfo, podInfo } from './pod-info.ts';
import { type PodShape, PodShapes } from './pod-shape.ts';
import type { Candidate } from './preemption/candidates.ts';
import { DisruptionBudgets } from './preemption/disruption-budgets.ts';
import { Evictions } from './preemption/evictions.ts';
import { Nominations } from './preemption/nominations.ts';
import { PlacedPods } from './preemption/placed-pods.ts';
import { Preemptor } from './preemption/preemptor.ts';
import { DEFAULT_PROFILE, type Profile } from './profile.ts';
import { Reports } from './reports.ts';
import { SchedulingQueue, type Waiting } from './scheduling-queue.ts';
import { VolumeBinder } from './volumes/volume-binder.ts';
import { VOLUME_RESOURCES } from './volumes/volume-catalog.ts';
import { WORKLOAD_RESOURCES } from './workload-selectors.ts';

/** Bindings under way: the api-server commits them in groups, and more would only wait there. */
const BINDINGS_MAX = 512;
/** Decisions in a row before others get their turn. */
const DECISIONS_PER_TURN = 128;
/** How long the end of the leadership waits for answers, so that the next leader finds these bindings in etcd. */
const FAREWELL_MS_MAX = 1_000;
/** Between attempts to learn etcd's revision at the start. */
const RETRY_MS = 500;

export interface SchedulerDeps {
  /** Must keep what `SCHEDULER_RESOURCES` lists. Started. */
  cache: Pick<ClusterCache, 'view' | 'subscribe' | 'current' | 'waitFor'>;
  commands: CommandClient;
  events: Pick<EventRecorder, 'record'>;
  metrics: SchedulerMetrics;
  log: Logger;
  /** Pods that name none of them are somebody else's. */
  profiles?: readonly Profile[];
  nowMs?: () => number;
}

const PODS = { group: podKind.group, resource: podKind.plural };
const NODES = { group: nodeKind.group, resource: nodeKind.plural };
const NAMESPACES = { group: namespaceKind.group, resource: namespaceKind.plural };
const BUDGETS = { group: budgetKind.group, resource: budgetKind.plural };
const GROUPS = { group: groupKind.group, resource: groupKind.plural };

/** What a scheduler has to see of a cluster. */
export const SCHEDULER_RESOURCES = [
  ...[PODS, NODES, NAMESPACES, BUDGETS, GROUPS],
  ...WORKLOAD_RESOURCES,
  ...VOLUME_RESOURCES,
];

const isOf = ({ key }: Entry, { group, resource }: typeof PODS): boolean =>
  key.resource === resource && key.group === group;
/** Parsed anew each time: `entry.object` would stay with the cache, and of most pods no more than a row of numbers is needed. */
const podOf = ({ bytes }: Entry): DeepReadonly<Pod> => JSON.parse(bytes.toString()) as DeepReadonly<Pod>;
const ON_A_NODE = '"nodeName":"';
const labelsOf = ({ object }: Entry): Labels => object.metadata.labels ?? {};
const nodeOf = (entry: Entry): DeepReadonly<Node> => entry.object as unknown as DeepReadonly<Node>;

/** Containers of a pod that has ended take nothing of their node. */
const hasEnded = ({ status }: DeepReadonly<Pod>): boolean =>
  status?.phase === 'Succeeded' || status?.phase === 'Failed';

/** Whether a scheduler is to find a node for it now. */
const isPending = (pod: DeepReadonly<Pod>): boolean =>
  !isGated(pod) && !pod.metadata.deletionTimestamp && !hasEnded(pod);

/**
 * Gives every pending pod of its profiles a node. Keeps the node table and the queue up to date from the
 * cache, decides synchronously, and sends bindings many at a time. A pod counts on its node from the decision on;
 * should the binding fail, it is taken away again. A pod that fits nowhere may preempt others, and is promised their
 * place. Runs once: each leadership has a scheduler of its own.
 */
export class Scheduler {
  private readonly deps: SchedulerDeps;
  private readonly nowMs: () => number;
  private readonly table = new NodeTable();
  private readonly shapes = new PodShapes();
  private readonly queue = new SchedulingQueue();
  private readonly placed = new PlacedPods();
  private readonly budgets = new DisruptionBudgets();
  private readonly groups = new PodGroups();
  private readonly nominations = new Nominations(this.table);
  private readonly preemptor = new Preemptor({
    ...{ table: this.table, placed: this.placed, budgets: this.budgets, nominations: this.nominations },
  });
  private readonly reports: Reports;
  private readonly evictions: Evictions;
  /** By the name under which pods ask for them. */
  private readonly deciders: ReadonlyMap<string, Decider>;
  /** A pod whose JSON has none of these texts is another scheduler's and waits for it: it need not be parsed to see that. */
  private readonly mentions: readonly string[];
  /** Decided here, and not yet seen bound in the cache. */
  private readonly assumed = new Set<string>();
  /** Ends what is being sent. */
  private readonly sending = new AbortController();
  private readonly volumes: VolumeBinder;
  private bindings = 0;
  private running = false;
  private turnIsDue = false;
  private timer: NodeJS.Timeout | undefined;
  private onBindingsDone: (() => void) | undefined;

  constructor(deps: SchedulerDeps) {
    this.deps = deps;
    this.nowMs = deps.nowMs ?? Date.now;
    const sent = { ...deps, nowMs: this.nowMs, signal: this.sending.signal };
    this.reports = new Reports(sent);
    this.evictions = new Evictions({ ...sent, placed: this.placed, reports: this.reports });
    this.volumes = new VolumeBinder({ ...deps, catalog: this.table.volumes });
    const profiles = deps.profiles ?? [DEFAULT_PROFILE];
    this.deciders = new Map(profiles.map((profile) => [profile.schedulerName, new Decider(this.table, profile)]));
    this.mentions = [ON_A_NODE, ...[...this.deciders.keys()].map((name) => `"schedulerName":${JSON.stringify(name)}`)];
  }

  /** Schedules until `signal` aborts; resolves when nothing is being sent any more. */
  async run(signal: AbortSignal): Promise<void> {
    if (!(await this.catchUp(signal))) return;
    const { cache, metrics } = this.deps;
    const view = cache.view(this.nowMs());
    for (const entry of view.entries(NAMESPACES)) this.table.tallies.setNamespace(entry.key.name, labelsOf(entry));
    for (const of of WORKLOAD_RESOURCES) for (const entry of view.entries(of)) this.table.workloads.set(entry);
    for (const entry of view.entries(BUDGETS)) this.budgets.set(entry);
    for (const entry of view.entries(GROUPS)) this.groups.set(entry);
    for (const of of VOLUME_RESOURCES) for (const entry of view.entries(of)) this.table.volumes.apply(entry, false);
    for (const entry of view.entries(NODES)) this.table.setNode(nodeOf(entry));
    for (const entry of view.entries(PODS)) if (this.concernsUs(entry)) this.podChanged(entry);
    const unsubscribe = cache.subscribe((_, changes) => this.apply(changes));
    observeQueue(metrics, (state) => this.queue.count(state));
    this.running = true;
    this.wakeUp();
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    this.running = false;
    clearTimeout(this.timer);
    unsubscribe();
    observeQueue(metrics, () => 0);
    await this.sayFarewell();
  }

  /** Waits until the cache shows what the leader before has done. False: there is no time left. */
  private async catchUp(signal: AbortSignal): Promise<boolean> {
    const { cache, log } = this.deps;
    while (!signal.aborted) {
      try {
        await cache.waitFor(await cache.current(), signal);
        return !signal.aborted;
      } catch (error) {
        if (signal.aborted) break;
        log.warn({ error }, 'etcd does not say its revision');
        await pause(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    return false;
  }

  private async sayFarewell(): Promise<void> {
    const { sending } = this;
    if (this.bindings > 0) {
      const timer = setTimeout(() => sending.abort(), FAREWELL_MS_MAX);
      await new Promise<void>((resolve) => {
        this.onBindingsDone = resolve;
      });
      clearTimeout(timer);
    }
    sending.abort();
  }

  private apply(changes: readonly Change[]): void {
    for (const change of changes) {
      const { type, entry, previous } = change;
      if (isOf(entry, PODS)) {
        if (!this.concernsUs(entry)) continue;
        if (type === 'deleted') this.podGone(podOf(entry), entry);
        else this.podChanged(entry);
      } else if (isOf(entry, NODES)) {
        if (type === 'deleted') this.nodeGone(entry);
        else this.nodeChanged(entry, previous);
      } else if (isOf(entry, GROUPS)) {
        this.groupChanged(type === 'deleted' ? this.groups.delete(entry) : this.groups.set(entry), entry);
      } else if (isOf(entry, BUDGETS)) {
        if (type === 'deleted') this.budgets.delete(entry);
        else this.budgets.set(entry);
      } else if (!this.volumeChanged(change)) this.neighbourhoodChanged(change);
    }
    this.wakeUp();
  }

  private concernsUs({ bytes }: Entry): boolean {
    return this.mentions.some((text) => bytes.includes(text));
  }

  /** Namespaces and what selects pods: who belongs with whom. */
  private neighbourhoodChanged({ type, entry }: Change): void {
    const { tallies, workloads } = this.table;
    if (isOf(entry, NAMESPACES)) tallies.setNamespace(entry.key.name, type === 'deleted' ? null : labelsOf(entry));
    else if (type === 'deleted') workloads.delete(entry);
    else workloads.set(entry);
  }

  /** Whether the change is about claims and volumes. */
  private volumeChanged({ type, entry }: Change): boolean {
    const claim = this.table.volumes.apply(entry, type === 'deleted');
    if (claim === undefined) return false;
    this.table.loosened += 1;
    if (claim !== null) this.volumes.look(claim);
    this.wakeFor({ events: ['VolumeChanged'], node: '', peer: null, claim }, entry);
    return true;
  }

  private nodeGone(entry: Entry): void {
    this.table.removeNode(entry.key.name);
    this.wakeFor({ events: ['NodeRemoved'], node: entry.key.name, peer: null }, entry);
  }

  private nodeChanged(entry: Entry, previous: Entry | null): void {
    const node = nodeOf(entry);
    const events = nodeEvents(node, previous && nodeOf(previous));
    if (events.length === 0) return;
    this.table.setNode(node);
    this.wakeFor({ events, node: entry.key.name, peer: null }, entry);
  }

  private podChanged(entry: Entry): void {
    const pod = podOf(entry);
    const uid = pod.metadata.uid!;
    const { nodeName } = pod.spec;
    if (nodeName) {
      if (hasEnded(pod)) this.podGone(pod, entry);
      else this.podHasNode(pod, nodeName, entry);
    } else if (this.assumed.has(uid)) {
      // The answer to its binding says more than this older state.
    } else if (this.deciders.has(pod.spec.schedulerName!) && isPending(pod)) {
      this.podPending(podInfo(pod, this.shapes, entry.createRevision), entry);
    } else this.forget(uid);
  }

  private podPending(pod: PodInfo, entry: Entry): void {
    const promised = pod.pod.status?.nominatedNodeName;
    // What a leader before has promised holds; later states may be older than what was promised since.
    if (promised && !this.queue.has(pod.uid)) this.nominations.nominate(pod, promised);
    const group = groupNameOf(pod);
    if (group === undefined) this.queue.add(pod, causeOf(entry), this.nowMs());
    else if (this.groups.addPending(pod, group)) this.groupChanged(this.groups.of(pod.uid)!, entry);
  }

  /** A gang is queued as one once it has as many pods as it takes; pods of other groups are, once the group is there. */
  private groupChanged(group: Group, entry: Entry | null): void {
    const { policy, uid } = group;
    const cause = entry && causeOf(entry);
    if (policy?.gang && group.isReady) {
      this.queue.add(group.asPod(), cause, this.nowMs());
      this.queue.reconsider(uid, cause, this.nowMs());
      return;
    }
    this.queue.remove(uid);
    if (!policy?.basic) return;
    for (const pod of group.pending.values()) this.queue.add(pod, cause, this.nowMs());
  }

  /** It waits for nothing any more. */
  private forget(uid: string): void {
    this.queue.remove(uid);
    this.nominations.withdraw(uid);
    const group = this.groups.of(uid);
    this.groups.remove(uid);
    if (group) this.groupChanged(group, null);
  }

  private podHasNode(pod: DeepReadonly<Pod>, node: string, entry: Entry): void {
    const uid = pod.metadata.uid!;
    this.queue.remove(uid);
    this.nominations.withdraw(uid);
    this.placed.set(pod);
    const group = groupNameOf({ pod });
    if (group !== undefined && this.groups.addPlaced(uid, pod.metadata.namespace!, group)) {
      this.groupChanged(this.groups.of(uid)!, entry);
    }
    const isBound = this.assumed.delete(uid);
    const before = this.table.placed(uid);
    const footprint = this.shapes.footprint(pod);
    const isNews = this.table.place(uid, footprint, node);
    if (isNews && before) this.wakeFor({ events: ['PodGone'], node: before.node, peer: before.pod.peer }, entry);
    if (isNews || isBound) this.wakeFor({ events: ['PodPlaced'], node, peer: footprint.peer }, entry);
  }

  private podGone(pod: DeepReadonly<Pod>, entry: Entry): void {
    const uid = pod.metadata.uid!;
    this.forget(uid);
    this.placed.delete(uid);
    this.assumed.delete(uid);
    const left = this.table.displace(uid);
    if (left) this.wakeFor({ events: ['PodGone'], node: left.node, peer: left.pod.peer }, entry);
  }

  private wakeFor(change: ClusterChange, entry: Entry): void {
    if (!this.queue.hasRefused) return;
    const promised = this.nominations.on(change.node);
    for (const pod of promised) if (this.canHave(pod, change.node)) this.queue.activate(pod.uid, causeOf(entry));
    // A place that is promised to a pod may still be had by a more important one.
    const refusedBy = (shape: PodShape) =>
      promised.length > 0 ? null : this.deciders.get(shape.schedulerName)!.stillRefusedBy(shape, change);
    this.queue.wake(change.events, refusedBy, causeOf(entry), this.nowMs());
  }

  /** Whether a nominated pod fits on its node now, or nobody goes for it there any more. */
  private canHave(pod: PodInfo, node: string): boolean {
    const { table, nominations } = this;
    if (table.slot(node) === undefined) return true;
    nominations.countFor(pod.priority);
    const decider = this.deciders.get(pod.shape.schedulerName)!;
    if (nominations.aside(pod.uid, () => decider.refusedBy(pod.shape, node) === null)) return true;
    for (const uid of table.podsOn(node).keys()) if (this.placed.going.has(uid)) return false;
    return true;
  }

  /** Goes on with the queue in a turn of its own, now or when its next pod is due. */
  private wakeUp(): void {
    clearTimeout(this.timer);
    if (!this.running || this.turnIsDue || this.bindings >= BINDINGS_MAX || this.evictions.isFull) return;
    const next = this.queue.nextMs();
    if (next === undefined) return;
    const delayMs = next - this.nowMs();
    if (delayMs > 0) {
      this.timer = setTimeout(() => this.wakeUp(), delayMs);
      return;
    }
    this.turnIsDue = true;
    setImmediate(() => this.turn());
  }

  private turn(): void {
    this.turnIsDue = false;
    if (!this.running) return;
    for (let decisions = 0; decisions < DECISIONS_PER_TURN; decisions += 1) {
      if (this.bindings >= BINDINGS_MAX || this.evictions.isFull) break;
      const waiting = this.queue.pop(this.nowMs());
      if (!waiting) break;
      const gang = this.groups.gang(waiting.pod.uid);
      if (gang) this.scheduleGang(waiting, gang);
      else this.schedule(waiting);
    }
    this.wakeUp();
  }

  private schedule(waiting: Waiting): void {
    const { nominations, table } = this;
    const { metrics } = this.deps;
    const { pod } = waiting;
    const started = performance.now();
    nominations.countFor(pod.priority);
    const { loosened } = table;
    const promised = nominations.nodeOf(pod.uid);
    const decision = this.decide(pod, promised);
    metrics.decisionSeconds.observe((performance.now() - started) / 1000);
    if (decision.node === null) {
      metrics.attempts.unschedulable.add();
      this.refused(waiting, decision);
      return;
    }
    nominations.withdraw(pod.uid);
    this.assumed.add(pod.uid);
    this.placed.set(pod.pod);
    table.place(pod.uid, pod.shape, decision.node);
    // It takes the place that counted as its own, so there is no more room than before.
    if (decision.node === promised) table.loosened = loosened;
    this.bindings += 1;
    void this.bind(waiting, decision.node);
  }

  /** All that fit are bound together, if they are enough; what is left over is tried again later. */
  private scheduleGang(waiting: Waiting, gang: Group): void {
    const { metrics } = this.deps;
    const started = performance.now();
    const decision = decideGang(gang.inOrder(), gang.needed, this.table, (pod) => {
      this.nominations.countFor(pod.priority);
      return this.deciders.get(pod.shape.schedulerName)!.decide(pod);
    });
    metrics.decisionSeconds.observe((performance.now() - started) / 1000);
    const { placements } = decision;
    if (placements.length === 0) {
      this.gangRefused(waiting, gang, decision);
      return;
    }
    for (const { pod } of placements) {
      this.assumed.add(pod.uid);
      this.placed.set(pod.pod);
      this.groups.addPlaced(pod.uid, gang.namespace, gang.name);
    }
    this.bindings += placements.length;
    void this.bindGang(waiting, gang, placements);
  }

  private gangRefused(waiting: Waiting, gang: Group, { found, refused }: GangDecision): void {
    const { pod, refusal } = refused!;
    const { needed, name } = gang;
    this.deps.metrics.attempts.unschedulable.add();
    // What lets that pod fit may let the gang.
    waiting.pod = { ...waiting.pod, shape: pod.shape };
    this.queue.refuse(waiting, refusal.wakesOn, this.nowMs());
    const message = `${refusal.message} pod group ${name} needs nodes for ${needed} pods at once, ${found} have one.`;
    if (gang.said === message) return;
    gang.said = message;
    const { cause } = waiting;
    for (const member of gang.pending.values()) this.reports.unschedulable({ pod: member, cause }, message, null);
    void this.reports.send(groupUnschedulable(gang, message, this.nowMs()), cause);
  }

  private async bindGang(waiting: Waiting, gang: Group, placements: readonly Placement[]): Promise<void> {
    const { metrics, commands } = this.deps;
    const { cause } = waiting;
    try {
      const claiming = placements.filter(({ pod }) => pod.shape.claims);
      if (claiming.length > 0) {
        await Promise.all(claiming.map(({ pod, node }) => this.bindVolumes(pod.shape, node, cause)));
      }
      await commands.send(groupBinding(gang, placements), cause, this.sending.signal);
      gang.said = '';
      for (const { pod, node } of placements) {
        const { namespace, name } = pod.pod.metadata;
        metrics.attempts.scheduled.add();
        metrics.schedulingSeconds.observe((this.nowMs() - waiting.sinceMs) / 1000);
        const message = `Successfully assigned ${namespace}/${name} to ${node}`;
        this.reports.record(pod.pod.metadata, cause, 'Normal', 'Scheduled', message);
      }
      if (gang.pending.size === 0) this.queue.remove(gang.uid);
      else this.queue.retry(waiting, this.nowMs());
    } catch (error) {
      metrics.attempts.error.add();
      await this.gangBindingFailed(waiting, gang, placements, error);
    }
    this.bindings -= placements.length;
    if (this.bindings === 0) this.onBindingsDone?.();
    this.wakeUp();
  }

  /** As with a single pod, the cache decides what has happened: to all of them, or to none. */
  private async gangBindingFailed(
    waiting: Waiting,
    { namespace, name }: Group,
    placements: readonly Placement[],
    error: unknown,
  ): Promise<void> {
    await this.seeWhatHappened();
    if (!this.running) return;
    const open = placements.filter(({ pod }) => this.assumed.delete(pod.uid));
    if (open.length === 0) return;
    this.deps.log.warn({ error, podGroup: `${namespace}/${name}` }, 'binding failed');
    this.queue.retry(waiting, this.nowMs());
    for (const { pod, node } of open) this.takeBack(pod, node);
  }

  /** The node that it was promised comes first. */
  private decide(pod: PodInfo, promised: string | undefined): Decision {
    const decider = this.deciders.get(pod.shape.schedulerName)!;
    if (promised === undefined) return decider.decide(pod);
    return this.nominations.aside(pod.uid, () =>
      decider.refusedBy(pod.shape, promised) === null ? { node: promised } : decider.decide(pod),
    );
  }

  /** It fits nowhere: others may have to go for it. */
  private refused(waiting: Waiting, { message, wakesOn }: Refusal): void {
    const { nominations } = this;
    const { pod } = waiting;
    const decider = this.deciders.get(pod.shape.schedulerName)!;
    const outcome = nominations.aside(pod.uid, () => this.preemptor.preempt(pod, decider));
    if (outcome.node !== null) {
      this.promise(waiting, outcome.node);
      this.queue.refuse(waiting, wakesOn, this.nowMs(), true);
      this.reports.unschedulable(waiting, message, outcome.node);
      void this.evict(waiting, outcome);
      return;
    }
    if (!outcome.isUnderWay) nominations.withdraw(pod.uid);
    const node = nominations.nodeOf(pod.uid) ?? null;
    this.queue.refuse(waiting, wakesOn, this.nowMs(), node !== null);
    const whole = outcome.message === '' ? message : `${message} preemption: ${outcome.message}`;
    this.reports.unschedulable(waiting, whole, node);
  }

  /** Those who were promised the node before, and are less important, have to look elsewhere. */
  private promise({ pod, cause }: Waiting, node: string): void {
    for (const other of this.nominations.on(node)) {
      if (other.priority >= pod.priority) continue;
      this.nominations.withdraw(other.uid);
      this.queue.activate(other.uid, cause);
      void this.reports.send(noLongerNominated(other.pod), cause);
    }
    this.nominations.nominate(pod, node);
  }

  private async evict({ pod, cause }: Waiting, candidate: Candidate): Promise<void> {
    try {
      await this.evictions.evict(pod, cause, candidate);
    } catch (error) {
      if (!this.running) return;
      this.deps.log.warn({ error, node: candidate.node }, 'a pod could not be preempted');
      this.queue.activate(pod.uid, null);
    }
    this.wakeUp();
  }

  private async bind(waiting: Waiting, node: string): Promise<void> {
    const { metrics, commands } = this.deps;
    const { pod, uid, shape } = waiting.pod;
    try {
      if (shape.claims) await this.bindVolumes(shape, node, waiting.cause);
      await commands.send(binding(pod, node), waiting.cause, this.sending.signal);
      this.queue.remove(uid);
      metrics.attempts.scheduled.add();
      metrics.schedulingSeconds.observe((this.nowMs() - waiting.sinceMs) / 1000);
      const { namespace, name } = pod.metadata;
      this.reports.record(
        pod.metadata,
        waiting.cause,
        'Normal',
        'Scheduled',
        `Successfully assigned ${namespace}/${name} to ${node}`,
      );
    } catch (error) {
      metrics.attempts.error.add();
      await this.bindingFailed(waiting, node, error);
    }
    this.bindings -= 1;
    if (this.bindings === 0) this.onBindingsDone?.();
    this.wakeUp();
  }

  /**
   * Has the claims of a pod bound on its node. Not among the bindings under way: whoever makes a volume may take
   * minutes.
   */
  private async bindVolumes(shape: PodShape, node: string, cause: Waiting['cause']): Promise<void> {
    const plan = this.volumes.assume(shape, this.table.nodes[this.table.slot(node)!]!);
    if (!plan) return;
    this.bindings -= 1;
    try {
      await this.volumes.bind(plan, node, cause, this.sending.signal);
    } finally {
      this.bindings += 1;
    }
  }

  /**
   * What the cache shows decides, once it has all that was committed before: the binding may have happened, the pod
   * may be gone. Trying again is safe, as the api-server binds a pod once.
   */
  private async bindingFailed(waiting: Waiting, node: string, error: unknown): Promise<void> {
    const { pod, uid } = waiting.pod;
    const { namespace, name } = pod.metadata;
    await this.seeWhatHappened();
    if (!this.running || !this.assumed.delete(uid)) return;
    this.deps.log.warn({ error, pod: `${namespace}/${name}`, node }, 'binding failed');
    this.queue.retry(waiting, this.nowMs());
    this.takeBack(waiting.pod, node);
  }

  private async seeWhatHappened(): Promise<void> {
    const { cache } = this.deps;
    try {
      await cache.waitFor(await cache.current(), this.sending.signal);
    } catch {
      // etcd is away: nothing can be bound meanwhile either, and the cache catches up when it is back.
    }
  }

  /** A pod that counted on a node was not bound there. */
  private takeBack({ uid, pod, shape }: PodInfo, node: string): void {
    this.table.displace(uid);
    this.placed.delete(uid);
    const { namespace, name } = pod.metadata;
    const entry = this.deps.cache.view(this.nowMs()).entry({ ...PODS, namespace: namespace!, name: name! });
    // While it was assumed, its changes were not looked at: it may be on its way out.
    if (!entry) {
      this.forget(uid);
      return;
    }
    this.podChanged(entry);
    this.wakeFor({ events: ['PodGone'], node, peer: shape.peer }, entry);
  }
}
