import type { Node } from '@periplus/api';
import { type DeepReadonly, parseTime } from '@periplus/apimachinery';
import type { Logger } from '@periplus/component';
import type { NodeUsage, NodeUsageSource, Usage } from '@periplus/operations';
import { type NodeCredentials, NodeProxy, nodeAddress } from './node-proxy.ts';

const PATH = '/stats/summary';
/** Nodes measure every ten seconds; what was heard within this time is not asked for again. */
const KEEP_MS = 5_000;
/** A node that has not answered by then is left out. */
const ANSWER_MS_MAX = 10_000;
/** Some 10,000 containers. */
const ANSWER_BYTES_MAX = 4 << 20;
/** Nodes that are asked at once; others wait. */
const ASKED_MAX = 64;

/** What is looked at of the kubelet's Summary. https://kubernetes.io/docs/reference/instrumentation/node-metrics/#summary-api-source */
interface Stats {
  cpu?: { time?: string; usageNanoCores?: number };
  memory?: { workingSetBytes?: number };
}
interface Summary {
  node?: Stats;
  pods?: { podRef?: { uid?: string }; containers?: (Stats & { name?: string })[] }[];
  /** Ours: how long the interval was that rates are of. */
  windowMs?: number;
}

interface Heard {
  askedMs: number;
  usage: Promise<NodeUsage | null>;
}

/**
 * Asks nodes what they use, as it asks them for logs: only when somebody wants to know, so that a cluster in which
 * nobody does costs nothing, and nothing goes through the log of events.
 */
export class NodeStats implements NodeUsageSource {
  private readonly proxy: NodeProxy | null;
  private readonly log: Logger;
  private readonly now: () => number;
  /** By uid of the node; those that are too old go when another is asked. */
  private readonly heard = new Map<string, Heard>();
  private asked = 0;
  private readonly waiting: (() => void)[] = [];

  /** Without credentials for nodes, none says anything. */
  constructor(deps: { nodeCredentials: NodeCredentials | null; log: Logger; now(): number }) {
    this.proxy = deps.nodeCredentials && new NodeProxy(deps.nodeCredentials);
    this.log = deps.log;
    this.now = deps.now;
  }

  usageOf(node: DeepReadonly<Node>): Promise<NodeUsage | null> {
    const uid = node.metadata.uid ?? '';
    const nowMs = this.now();
    const known = this.heard.get(uid);
    if (known && nowMs - known.askedMs < KEEP_MS) return known.usage;
    for (const [other, { askedMs }] of this.heard) {
      // In the order in which they were asked.
      if (nowMs - askedMs < KEEP_MS) break;
      this.heard.delete(other);
    }
    const usage = this.ask(node).catch((error: Error) => {
      this.log.debug({ node: node.metadata.name, error: error.message }, 'a node does not say what it uses');
      return null;
    });
    this.heard.delete(uid);
    this.heard.set(uid, { askedMs: nowMs, usage });
    return usage;
  }

  close(): void {
    this.proxy?.close();
  }

  private async ask(node: DeepReadonly<Node>): Promise<NodeUsage | null> {
    if (!this.proxy) return null;
    if (this.asked >= ASKED_MAX) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.asked += 1;
    try {
      const signal = AbortSignal.timeout(ANSWER_MS_MAX);
      return usageOf((await this.proxy.json(nodeAddress(node), PATH, ANSWER_BYTES_MAX, signal)) as Summary);
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.asked -= 1;
    }
  }
}

function usageOf({ node, pods = [], windowMs }: Summary): NodeUsage | null {
  const own = node && usage(node);
  const atMs = parseTime(node?.cpu?.time ?? '');
  if (!own || atMs === undefined || typeof windowMs !== 'number') return null;
  const byPod = pods.map(({ podRef, containers = [] }) => {
    const used = containers.map((one) => [one.name ?? '', usage(one)] as const);
    // The sum of some would look like little use: a pod counts when all of its containers were measured.
    const isWhole = used.length > 0 && used.every(([, one]) => one !== undefined);
    return [podRef?.uid ?? '', isWhole ? new Map(used as [string, Usage][]) : null] as const;
  });
  const whole = byPod.filter((entry): entry is [string, Map<string, Usage>] => entry[1] !== null);
  return { atMs, windowMs, node: own, pods: new Map(whole) };
}

function usage({ cpu, memory }: Stats): Usage | undefined {
  const cpuNanoCores = cpu?.usageNanoCores;
  const memoryBytes = memory?.workingSetBytes;
  if (typeof cpuNanoCores !== 'number' || typeof memoryBytes !== 'number') return undefined;
  return { cpuNanoCores, memoryBytes };
}
