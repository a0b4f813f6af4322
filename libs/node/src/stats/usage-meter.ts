import type { ContainerStats } from '@periplus/cri';
import { LABEL } from '../pod/container-names.ts';
import { timestamp } from '../pod/container-status.ts';
import type { MachineUse } from './machine-use.ts';

/** Processors and memory as the kubelet's Summary has them. */
interface Stats {
  cpu: { time: string; usageNanoCores: number; usageCoreNanoSeconds: number };
  memory: { time: string; workingSetBytes: number };
}

/** The part of the kubelet's Summary that programs read. `windowMs` is ours: how long the rates were measured. */
export interface Summary {
  windowMs: number;
  node: Stats & { nodeName: string };
  pods: {
    podRef: { name: string; namespace: string; uid: string };
    containers: (Partial<Stats> & { name: string })[];
  }[];
}

/** All that was read at one moment. */
export interface Reading {
  atMs: number;
  machine: MachineUse;
  containers: readonly ContainerStats[];
}

interface Counter {
  atMs: number;
  cpuNanoSeconds: number;
}

/** Two readings of a counter too close to each other say nothing of a rate. */
const RATE_MS_MIN = 100;

/** Undefined when the counter began anew or did not get older. */
function nanoCores(now: Counter, before: Counter | undefined): number | undefined {
  if (!before || now.atMs - before.atMs < RATE_MS_MIN || now.cpuNanoSeconds < before.cpuNanoSeconds) return undefined;
  return Math.round(((now.cpuNanoSeconds - before.cpuNanoSeconds) / (now.atMs - before.atMs)) * 1_000);
}

const statsOf = (now: Counter, usageNanoCores: number, workingSetBytes: number): Stats => ({
  cpu: { time: timestamp(now.atMs), usageNanoCores, usageCoreNanoSeconds: now.cpuNanoSeconds },
  memory: { time: timestamp(now.atMs), workingSetBytes },
});

/**
 * What the node and its containers used between two readings. A container that was not there at the first of them has
 * no rate yet and stands in the summary by its name alone. Null without a rate of the node.
 */
export function summaryOf(nodeName: string, now: Reading, before: Reading): Summary | null {
  const machine = { atMs: now.atMs, ...now.machine };
  const rate = nanoCores(machine, { atMs: before.atMs, ...before.machine });
  if (rate === undefined) return null;
  const earlier = new Map(before.containers.map((one) => [one.id, one]));
  const pods = new Map<string, Summary['pods'][number]>();
  for (const one of now.containers) {
    const uid = one.labels[LABEL.podUid] ?? '';
    const podRef = { name: one.labels[LABEL.podName] ?? '', namespace: one.labels[LABEL.podNamespace] ?? '', uid };
    const pod = pods.get(uid) ?? { podRef, containers: [] };
    const own = nanoCores(one, earlier.get(one.id));
    pod.containers.push({ name: one.name, ...(own !== undefined && statsOf(one, own, one.workingSetBytes)) });
    pods.set(uid, pod);
  }
  return {
    windowMs: now.atMs - before.atMs,
    node: { nodeName, ...statsOf(machine, rate, machine.workingSetBytes) },
    pods: [...pods.values()],
  };
}

/** Keeps the last two readings of a node, and what follows from them. */
export class UsageMeter {
  private readonly nodeName: string;
  private last: Reading | null = null;
  private current: Summary | null = null;

  constructor(nodeName: string) {
    this.nodeName = nodeName;
  }

  /** Null until there are two readings. */
  get summary(): Summary | null {
    return this.current;
  }

  add(reading: Reading): void {
    if (this.last) this.current = summaryOf(this.nodeName, reading, this.last);
    this.last = reading;
  }
}
