import { type Kind, type Node, node as nodeKind } from '@periplus/api';
import { isAlreadyExists, type JsonObject } from '@periplus/apimachinery';
import type { CommandClient, ResourceClient } from '@periplus/client';
import type { Logger } from '@periplus/component';
import {
  hasChanged,
  isReady,
  type MachineFacts,
  type NodeIdentity,
  newNode,
  nodeAnnotations,
  nodeLabels,
  nodeStatus,
  type RuntimeFacts,
  turnsOf,
} from './node-status.ts';

/** How often the node looks at itself. */
const LOOK_MS = 10_000;
/** How often it reports that nothing changed, for those who read the heartbeat times. */
const REPORT_MS = 5 * 60_000;
const RETRY_MS = 1_000;

type NodeStatus = NonNullable<Node['status']>;

export interface RegistrationDeps {
  identity: NodeIdentity;
  readMachine(): MachineFacts;
  /** Rejects while the runtime does not answer. */
  readRuntime(): Promise<RuntimeFacts>;
  commands: CommandClient;
  resources: ResourceClient;
  now(): number;
  /** Whether the node's liveness stands. While it does not, who takes the node for dead is right. */
  isAlive(): boolean;
  /** The node is in another state: `NodeReady`, `NodeHasDiskPressure`, `NodeNotSchedulable`. */
  onTurn(node: Node, reason: string): void;
  log: Logger;
}

/** Keeps the Node object in step with the machine. */
export class NodeRegistration {
  private readonly deps: RegistrationDeps;
  /** As the api-server has it, as far as is known, and since which version. */
  private told: NodeStatus | undefined;
  private toldVersion = 0;
  private isCordoned = false;
  private reportedMs = 0;
  private registered = false;
  private timer: NodeJS.Timeout | null = null;
  private running = false;
  private lookAgain = false;
  private closed = false;

  constructor(deps: RegistrationDeps) {
    this.deps = deps;
  }

  get isRegistered(): boolean {
    return this.registered;
  }

  start(): void {
    this.look();
  }

  /** Looks now instead of at the next turn. */
  look(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.lookAgain = this.running;
    if (!this.running && !this.closed) void this.run();
  }

  /** The object has changed: by us, or by who takes the node for dead or gone. */
  see({ metadata, spec, status }: Node): void {
    if (this.isCordoned !== (spec.unschedulable ?? false)) {
      this.isCordoned = !this.isCordoned;
      this.deps.onTurn(this.node(), this.isCordoned ? 'NodeNotSchedulable' : 'NodeSchedulable');
    }
    const version = Number(metadata.resourceVersion);
    if (version <= this.toldVersion) return;
    const wasReady = isReady(this.told);
    this.told = status;
    this.toldVersion = version;
    if (wasReady && !isReady(status) && this.deps.isAlive()) this.look();
  }

  close(): void {
    this.closed = true;
    if (this.timer) clearTimeout(this.timer);
  }

  private async run(): Promise<void> {
    this.running = true;
    let nextMs = LOOK_MS;
    try {
      await this.report();
    } catch (error) {
      nextMs = RETRY_MS;
      if (!this.closed) this.deps.log.warn({ error: String(error) }, 'could not report the state of the node');
    }
    this.running = false;
    if (this.closed) return;
    if (this.lookAgain) this.look();
    else this.timer = setTimeout(() => this.look(), nextMs);
  }

  private async report(): Promise<void> {
    const { identity, now } = this.deps;
    const machine = this.deps.readMachine();
    const runtime = await this.deps.readRuntime().catch(() => null);
    if (!this.registered) await this.register(machine);
    const nowMs = now();
    const before = this.told;
    const status = nodeStatus(identity, machine, runtime, before, nowMs);
    const quiet = steadied(status, before);
    if (!hasChanged(before, quiet) && nowMs - this.reportedMs < REPORT_MS) return;
    const patch = { status: status as unknown as JsonObject };
    const command = { verb: 'patch', type: 'strategic', ...this.target(), subresource: 'status', patch } as const;
    // A node that somebody deleted stays so until its agent is started again, as with the kubelet.
    const { resourceVersion } = await this.deps.commands.send(command, null);
    // Not what is told now: the change itself may have been seen before the answer to it.
    const turns = turnsOf(before, status);
    this.told = status;
    if (resourceVersion) this.toldVersion = Number(resourceVersion);
    this.reportedMs = nowMs;
    for (const reason of turns) this.deps.onTurn(this.node(), reason);
  }

  private target(): { kind: Kind; namespace: string; name: string } {
    return { kind: nodeKind as unknown as Kind, namespace: '', name: this.deps.identity.name };
  }

  private node(): Node {
    return {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: this.deps.identity.name, uid: this.deps.identity.name },
      spec: {},
    };
  }

  private async register(machine: MachineFacts): Promise<void> {
    const { identity, commands, resources, log } = this.deps;
    try {
      await commands.send({ verb: 'create', ...this.target(), object: newNode(identity, machine) }, null);
      log.info({ node: identity.name }, 'registered the node');
      this.told = undefined;
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const found = await resources.get(nodeKind, '', identity.name);
      this.told = found.status;
      await this.mendMetadata(found, machine);
    }
    this.registered = true;
  }

  /** A node that was there before gets the labels and annotations that its agent has now; others stay. */
  private async mendMetadata({ metadata }: Node, machine: MachineFacts): Promise<void> {
    const { identity } = this.deps;
    const labels = missingFrom(metadata.labels, nodeLabels(identity, machine));
    const annotations = missingFrom(metadata.annotations, nodeAnnotations(identity));
    if (!labels && !annotations) return;
    const patch = { metadata: { ...(labels && { labels }), ...(annotations && { annotations }) } };
    await this.deps.commands.send({ verb: 'patch', type: 'merge', ...this.target(), patch }, null);
  }
}

/** What of `wanted` is not there, or is otherwise; undefined when nothing is. */
function missingFrom(
  present: Record<string, string> | undefined,
  wanted: Record<string, string>,
): Record<string, string> | undefined {
  const missing = Object.entries(wanted).filter(([name, value]) => present?.[name] !== value);
  return missing.length > 0 ? Object.fromEntries(missing) : undefined;
}

/** Sizes of disks and memory waver; only a real change of them is news. */
function steadied(now: NodeStatus, before: NodeStatus | undefined): NodeStatus {
  return before ? { ...now, images: before.images?.length === now.images?.length ? before.images : now.images } : now;
}
