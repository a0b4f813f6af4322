import { parseQuantity, Quantity } from '@periplus/apimachinery';
import type { LinuxResources } from '@periplus/cri';
import type { Container, Pod } from './pod-types.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/** Microseconds; the kernel counts a container's quota of CPU time over each. */
const CPU_PERIOD = 100_000;
const CPU_QUOTA_MIN = 1_000;
const CPU_SHARES_MIN = 2;
const CPU_SHARES_MAX = 262_144;
const SHARES_PER_CPU = 1_024;
/** The higher, the sooner the kernel picks it when memory runs out. */
const OOM_SCORE = { guaranteed: -997, bestEffort: 1_000, burstableMin: 3, burstableMax: 999 } as const;

const milli = (quantity: string | number | undefined): number =>
  quantity === undefined ? 0 : parseQuantity(quantity).milliValue();
const bytes = (quantity: string | number | undefined): number =>
  quantity === undefined ? 0 : parseQuantity(quantity).value();

/** https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/ */
export function qosClassOf({ spec, status }: Pod): QosClass {
  if (status?.qosClass) return status.qosClass;
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  const isSet = (value: string | number | undefined): value is string | number =>
    value !== undefined && !parseQuantity(value).isZero;
  const relevant = containers.flatMap(({ resources }) =>
    ['cpu', 'memory'].map((name) => ({ limit: resources?.limits?.[name], request: resources?.requests?.[name] })),
  );
  if (relevant.every(({ limit, request }) => !isSet(limit) && !isSet(request))) return 'BestEffort';
  const guaranteed = relevant.every(
    ({ limit, request }) =>
      isSet(limit) &&
      parseQuantity(limit).compare(isSet(request) ? parseQuantity(request) : parseQuantity(limit)) === 0,
  );
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

function cpuShares(milliCpu: number): number {
  if (milliCpu === 0) return CPU_SHARES_MIN;
  return Math.min(Math.max(Math.floor((milliCpu * SHARES_PER_CPU) / 1_000), CPU_SHARES_MIN), CPU_SHARES_MAX);
}

function oomScore(qos: QosClass, memoryRequest: number, machineMemory: number): number {
  if (qos === 'Guaranteed') return OOM_SCORE.guaranteed;
  if (qos === 'BestEffort') return OOM_SCORE.bestEffort;
  const score = 1_000 - Math.floor((1_000 * memoryRequest) / machineMemory);
  return Math.min(Math.max(score, OOM_SCORE.burstableMin), OOM_SCORE.burstableMax);
}

/** Requests and limits as the kernel takes them. `machineMemory` is in bytes. */
export function linuxResources(pod: Pod, container: Container, machineMemory: number): LinuxResources {
  const { limits = {}, requests = {} } = container.resources ?? {};
  // A limit alone is a request too; the API fills that in, but not for every resource.
  const cpuRequest = milli(requests.cpu ?? limits.cpu);
  const cpuLimit = milli(limits.cpu);
  const memoryLimit = bytes(limits.memory);
  return {
    cpuShares: cpuShares(cpuRequest),
    ...(cpuLimit > 0 && {
      cpuPeriod: CPU_PERIOD,
      cpuQuota: Math.max(Math.floor((cpuLimit * CPU_PERIOD) / 1_000), CPU_QUOTA_MIN),
    }),
    ...(memoryLimit > 0 && { memoryLimitInBytes: memoryLimit }),
    oomScoreAdj: oomScore(qosClassOf(pod), bytes(requests.memory ?? limits.memory), machineMemory),
  };
}

/** Bytes of a size limit; undefined when there is none. */
export const sizeLimitBytes = (limit: string | number | undefined): number | undefined =>
  limit === undefined || parseQuantity(limit).compare(Quantity.zero) === 0 ? undefined : bytes(limit);
