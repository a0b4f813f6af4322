import {
  type Kind,
  type Node,
  type NodeMetrics,
  node,
  nodeMetrics,
  type Pod,
  type PodMetrics,
  pod,
  podMetrics,
  type ResourceUsage,
} from '@periplus/api';
import {
  apiVersionOf,
  type DeepReadonly,
  formatTime,
  type KubeObject,
  notFound,
  Quantity,
} from '@periplus/apimachinery';
import { type ClusterState, namedResource, resourceOf } from '../cluster-state.ts';
import { type Observed, wholeList } from '../reading/observed.ts';
import type { Selection } from '../reading/selection.ts';
import type { ListResult, ObjectResult, Target } from '../types.ts';
import { resultOf } from '../writing/committer.ts';
import type { NodeUsage, NodeUsageSource, Usage } from './node-usage.ts';
import { isSimulated, simulatedUsage } from './simulated-usage.ts';

const KIBI = 1024;

/**
 * The metrics API: made when somebody asks, of what nodes say that they and their pods use. Nothing of it is stored.
 * What is not measured (yet) is left out of lists, as metrics-server does.
 * https://kubernetes.io/docs/tasks/debug/debug-cluster/resource-metrics-pipeline/
 */
export class ResourceMetrics implements Observed {
  private readonly cluster: ClusterState;
  private readonly source: NodeUsageSource;
  private readonly now: () => number;

  constructor(deps: { cluster: ClusterState; source: NodeUsageSource; now(): number }) {
    this.cluster = deps.cluster;
    this.source = deps.source;
    this.now = deps.now;
  }

  async get({ kind, namespace, name }: Target): Promise<ObjectResult> {
    await this.cluster.refresh();
    const isOfNode = kind === nodeMetrics;
    const of: Kind = isOfNode ? node : pod;
    const found = this.cluster.entry(of, namespace, name)?.object;
    if (!found) throw notFound(namedResource(of), name);
    const [metrics] = isOfNode ? await this.ofNodes([found]) : await this.ofPods([found as DeepReadonly<Pod>]);
    if (!metrics) throw notFound(namedResource(kind), isOfNode ? name : `${namespace}/${name}`);
    return resultOf(metrics, '', 0);
  }

  async list({ kind, namespace }: Target, selection: Selection): Promise<ListResult> {
    await this.cluster.refresh();
    const isOfNode = kind === nodeMetrics;
    const found = this.cluster.cache
      .list(resourceOf(isOfNode ? node : pod), namespace)
      .map(({ object }) => object)
      .filter((object) => selection.matches(object));
    const metrics = isOfNode ? await this.ofNodes(found) : await this.ofPods(found as DeepReadonly<Pod>[]);
    return wholeList(metrics.map((one) => resultOf(one, '', 0)));
  }

  private async ofNodes(nodes: readonly DeepReadonly<KubeObject>[]): Promise<NodeMetrics[]> {
    const usages = await Promise.all(nodes.map((one) => this.usageOf(one as DeepReadonly<Node>)));
    return nodes.flatMap((one, i) => {
      const usage = usages[i];
      return usage ? [{ ...this.head(nodeMetrics, one), ...measured(usage), usage: quantities(usage.node) }] : [];
    });
  }

  /** Asks each node of the pods once. */
  private async ofPods(pods: readonly DeepReadonly<Pod>[]): Promise<PodMetrics[]> {
    const running = pods.filter(({ status }) => status?.phase === 'Running');
    const usages = new Map<string, NodeUsage | null>();
    await Promise.all(
      [...new Set(running.map(({ spec }) => spec.nodeName ?? ''))].map(async (name) => {
        const found = this.cluster.object(node, '', name);
        usages.set(name, found ? await this.usageOf(found) : null);
      }),
    );
    return running.flatMap((one) => {
      const usage = usages.get(one.spec.nodeName ?? '');
      const containers = usage?.pods.get(one.metadata.uid ?? '');
      if (!usage || !containers) return [];
      const listed = [...containers].map(([name, used]) => ({ name, usage: quantities(used) }));
      return [{ ...this.head(podMetrics, one), ...measured(usage), containers: listed }];
    });
  }

  private async usageOf(of: DeepReadonly<Node>): Promise<NodeUsage | null> {
    if (!isSimulated(of)) return this.source.usageOf(of);
    return simulatedUsage(of, this.cluster.podsOn(of.metadata.name ?? ''), this.now());
  }

  private head(kind: Kind, { metadata }: DeepReadonly<KubeObject>): KubeObject {
    const { name, namespace, labels } = metadata;
    return {
      kind: kind.kind,
      apiVersion: apiVersionOf(kind),
      metadata: {
        name,
        ...(namespace && { namespace }),
        creationTimestamp: formatTime(this.now()),
        ...(labels && { labels: { ...labels } }),
      },
    };
  }
}

const measured = ({ atMs, windowMs }: NodeUsage) => ({
  timestamp: formatTime(atMs),
  window: windowMs < 60_000 ? `${windowMs / 1000}s` : `${Math.floor(windowMs / 60_000)}m${(windowMs % 60_000) / 1000}s`,
});

/** In the units of metrics-server: thousand-millionths of a core, and KiB. */
const quantities = ({ cpuNanoCores, memoryBytes }: Usage): ResourceUsage => ({
  cpu: new Quantity(BigInt(Math.round(cpuNanoCores)), 'DecimalSI').toString(),
  memory: Quantity.ofInteger(Math.floor(memoryBytes / KIBI) * KIBI, 'BinarySI').toString(),
});
