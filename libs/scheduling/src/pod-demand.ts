import type { Pod } from '@periplus/api';
import { type DeepReadonly, parseQuantity } from '@periplus/apimachinery';

/** The resources that a pod takes of its node, in the units of the node table: thousandths of a CPU, bytes, counts. */
export interface ResourceDemand {
  milliCpu: number;
  memory: number;
  ephemeralStorage: number;
  /** Extended resources and huge pages by name. */
  others: ReadonlyMap<string, number>;
  /** For scores only: a container that asks for nothing is taken to need a little, so that they spread. */
  scoredMilliCpu: number;
  scoredMemory: number;
}

type Resources = DeepReadonly<Record<string, string | number>> | undefined;
type Container = DeepReadonly<{ restartPolicy?: string; resources?: { requests?: Record<string, string | number> } }>;

/** https://github.com/kubernetes/kubernetes scheduler/util DefaultMilliCPURequest and DefaultMemoryRequest */
const SCORED_MILLI_CPU = 100;
const SCORED_MEMORY = 200 * 1024 * 1024;

/** Amounts of one resource: [for filters, for scores]. */
type Amounts = Map<string, [number, number]>;

const amountOf = (resource: string, quantity: string | number): number => {
  const parsed = parseQuantity(quantity);
  return Number(resource === 'cpu' ? parsed.milliValue() : parsed.value());
};

function amountsOf(requests: Resources): Amounts {
  const amounts: Amounts = new Map();
  for (const resource in requests) {
    const amount = amountOf(resource, requests[resource]!);
    amounts.set(resource, [amount, amount]);
  }
  return amounts;
}

function demandOf(container: Container): Amounts {
  const amounts = amountsOf(container.resources?.requests);
  if (!amounts.has('cpu')) amounts.set('cpu', [0, SCORED_MILLI_CPU]);
  if (!amounts.has('memory')) amounts.set('memory', [0, SCORED_MEMORY]);
  return amounts;
}

function combine(into: Amounts, other: Amounts, how: (a: number, b: number) => number): void {
  for (const [resource, [asked, scored]] of other) {
    const [a, b] = into.get(resource) ?? [0, 0];
    into.set(resource, [how(a, asked), how(b, scored)]);
  }
}

const sum = (a: number, b: number): number => a + b;

/**
 * The pod's effective request: its containers and restartable init containers together, or its largest init
 * container where that is more; what is asked for the pod as a whole takes the place of that; plus overhead.
 * https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers
 * https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#pod-level-resource-specification
 */
export function podDemand({ spec }: DeepReadonly<Pod>): ResourceDemand {
  const total: Amounts = new Map();
  for (const container of spec.containers) combine(total, demandOf(container), sum);
  const sidecars: Amounts = new Map();
  const initPeak: Amounts = new Map();
  for (const container of spec.initContainers ?? []) {
    const own = demandOf(container);
    if (container.restartPolicy === 'Always') {
      combine(total, own, sum);
      combine(sidecars, own, sum);
      combine(initPeak, sidecars, Math.max);
    } else {
      combine(own, sidecars, sum);
      combine(initPeak, own, Math.max);
    }
  }
  combine(total, initPeak, Math.max);
  for (const [resource, amount] of amountsOf(spec.resources?.requests)) total.set(resource, amount);
  combine(total, amountsOf(spec.overhead as Resources), sum);
  const named = ['cpu', 'memory', 'ephemeral-storage'];
  const others = [...total].filter(([name, [asked]]) => asked > 0 && !named.includes(name));
  return {
    milliCpu: total.get('cpu')?.[0] ?? 0,
    memory: total.get('memory')?.[0] ?? 0,
    ephemeralStorage: total.get('ephemeral-storage')?.[0] ?? 0,
    others: new Map(others.map(([name, [asked]]) => [name, asked])),
    scoredMilliCpu: total.get('cpu')?.[1] ?? 0,
    scoredMemory: total.get('memory')?.[1] ?? 0,
  };
}
