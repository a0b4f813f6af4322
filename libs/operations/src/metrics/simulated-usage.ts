import type { Node, Pod } from '@periplus/api';
import { type DeepReadonly, parseQuantity, quantityProblem } from '@periplus/apimachinery';
import type { NodeUsage, Usage } from './node-usage.ts';

const SIMULATED_LABEL = 'periplus.dev/simulated';
/** On a pod: what each of its containers is said to use. */
const POD_CPU = 'periplus.dev/usage-cpu';
const POD_MEMORY = 'periplus.dev/usage-memory';
/** On a simulated node: how much of what they request its containers are said to use, where their pod says nothing. */
const NODE_CPU_PERCENT = 'periplus.dev/usage-cpu-percent';
const NODE_MEMORY_PERCENT = 'periplus.dev/usage-memory-percent';
const WINDOW_MS = 10_000;

type Container = DeepReadonly<Pod>['spec']['containers'][number];

export const isSimulated = ({ metadata }: DeepReadonly<Node>): boolean => metadata.labels?.[SIMULATED_LABEL] === 'true';

const nanoOf = (text: string | number | undefined): number | undefined =>
  text === undefined || quantityProblem(text) !== undefined ? undefined : Number(parseQuantity(text).nano);

/** In thousand-millionths of the resource's unit. */
function nanoUsed(
  { metadata }: DeepReadonly<Pod>,
  { resources }: Container,
  resource: 'cpu' | 'memory',
  percent: string | undefined,
): number {
  const said = nanoOf(metadata.annotations?.[resource === 'cpu' ? POD_CPU : POD_MEMORY]);
  const requested = nanoOf(resources?.requests?.[resource] as string | undefined) ?? 0;
  return Math.max(0, Math.round(said ?? (requested * (Number(percent) || 0)) / 100));
}

/** What nodes that run nothing are told to report. The same state of the cluster gives the same figures. */
export function simulatedUsage(
  { metadata }: DeepReadonly<Node>,
  pods: readonly DeepReadonly<Pod>[],
  nowMs: number,
): NodeUsage {
  const cpuPercent = metadata.annotations?.[NODE_CPU_PERCENT];
  const memoryPercent = metadata.annotations?.[NODE_MEMORY_PERCENT];
  const total = { cpuNanoCores: 0, memoryBytes: 0 };
  const usage = new Map<string, Map<string, Usage>>();
  for (const pod of pods) {
    if (pod.status?.phase !== 'Running') continue;
    const containers = new Map<string, Usage>();
    for (const container of pod.spec.containers) {
      const cpuNanoCores = nanoUsed(pod, container, 'cpu', cpuPercent);
      const memoryBytes = Math.round(nanoUsed(pod, container, 'memory', memoryPercent) / 1e9);
      total.cpuNanoCores += cpuNanoCores;
      total.memoryBytes += memoryBytes;
      containers.set(container.name, { cpuNanoCores, memoryBytes });
    }
    usage.set(pod.metadata.uid ?? '', containers);
  }
  return { atMs: nowMs, windowMs: WINDOW_MS, node: total, pods: usage };
}
