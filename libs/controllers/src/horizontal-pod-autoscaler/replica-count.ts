/** How many replicas a metric asks for. https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details */
import { parseTime } from '@periplus/apimachinery';
import { type PodView, readyCondition } from '../pod-state.ts';

/** What a pod uses of a resource, in thousandths of its unit, and when that was measured. */
export interface Sample {
  value: number;
  atMs: number;
  windowMs: number;
}

/** When a pod's use of processors counts. */
export interface ReadinessSettings {
  /** As --horizontal-pod-autoscaler-cpu-initialization-period: pods start with work that tells nothing. */
  cpuInitializationMs: number;
  /** As --horizontal-pod-autoscaler-initial-readiness-delay. */
  initialReadinessDelayMs: number;
}

/** Which ratios of use to target are near enough to 1. */
export interface Tolerance {
  up: number;
  down: number;
}

interface Groups {
  /** Counted, with a sample. */
  ready: PodView[];
  unready: PodView[];
  /** Should have a sample. */
  missing: PodView[];
}

const nameOf = ({ metadata }: PodView): string => metadata.name ?? '';

/** Whether the use of processors tells nothing yet, because the pod is still starting. */
function isStarting(pod: PodView, sample: Sample, settings: ReadinessSettings, nowMs: number): boolean {
  const condition = readyCondition(pod);
  const startMs = parseTime(pod.status?.startTime ?? '');
  const changedMs = parseTime(condition?.lastTransitionTime ?? '');
  if (!condition || startMs === undefined || changedMs === undefined) return true;
  const isUnready = condition.status === 'False';
  if (startMs + settings.cpuInitializationMs > nowMs) return isUnready || sample.atMs < changedMs + sample.windowMs;
  return isUnready && startMs + settings.initialReadinessDelayMs > changedMs;
}

function groups(
  pods: readonly PodView[],
  samples: ReadonlyMap<string, Sample>,
  resource: string,
  settings: ReadinessSettings,
  nowMs: number,
): Groups {
  const found: Groups = { ready: [], unready: [], missing: [] };
  for (const pod of pods) {
    if (pod.metadata.deletionTimestamp || pod.status?.phase === 'Failed') continue;
    const sample = samples.get(nameOf(pod));
    if (pod.status?.phase === 'Pending') found.unready.push(pod);
    else if (!sample) found.missing.push(pod);
    else if (resource === 'cpu' && isStarting(pod, sample, settings, nowMs)) found.unready.push(pod);
    else found.ready.push(pod);
  }
  return found;
}

/** What a metric wants, apart from how that is measured. */
export interface Target {
  /** What the ratio of use to target is, for these amounts by pod. */
  ratio(values: ReadonlyMap<string, number>): number;
  /** What a pod that says nothing is taken to use, so that nothing is taken away on its account. */
  assumed(pod: string): number;
}

export interface CountRequest {
  pods: readonly PodView[];
  samples: ReadonlyMap<string, Sample>;
  resource: string;
  currentReplicas: number;
  target: Target;
  tolerance: Tolerance;
  settings: ReadinessSettings;
  nowMs: number;
}

export interface Count {
  replicas: number;
  /** The samples that were counted, by pod. */
  values: ReadonlyMap<string, number>;
}

/** Rounding errors must not make a replica. */
const up = (replicas: number): number => Math.ceil(replicas - 1e-9);

/**
 * The replicas that bring the use to its target. Pods that are not ready, or not heard of, are taken to use what lets
 * the change be smaller; a change that this would turn into its opposite is not made.
 */
export function countReplicas(request: CountRequest): Count | { problem: string } {
  const { pods, samples, resource, currentReplicas, target, tolerance, settings, nowMs } = request;
  if (pods.length === 0) return { problem: 'no pods returned by selector while calculating replica count' };
  const { ready, unready, missing } = groups(pods, samples, resource, settings, nowMs);
  if (ready.length === 0) {
    return { problem: 'did not receive metrics for targeted pods (pods might be unready)' };
  }
  const values = new Map(ready.map((pod) => [nameOf(pod), samples.get(nameOf(pod))!.value]));
  const ratio = target.ratio(values);
  const isNear = (one: number): boolean => one >= 1 - tolerance.down && one <= 1 + tolerance.up;
  const stay: Count = { replicas: currentReplicas, values };
  const growsWithUnready = unready.length > 0 && ratio > 1;
  if (!growsWithUnready && missing.length === 0) {
    return isNear(ratio) ? stay : { replicas: up(ratio * ready.length), values };
  }
  const careful = new Map(values);
  for (const pod of ratio === 1 ? [] : missing) {
    careful.set(nameOf(pod), ratio < 1 ? target.assumed(nameOf(pod)) : 0);
  }
  for (const pod of growsWithUnready ? unready : []) careful.set(nameOf(pod), 0);
  const carefulRatio = target.ratio(careful);
  if (isNear(carefulRatio) || (ratio < 1 && carefulRatio > 1) || (ratio > 1 && carefulRatio < 1)) return stay;
  const replicas = up(carefulRatio * careful.size);
  const turns = carefulRatio < 1 ? replicas > currentReplicas : replicas < currentReplicas;
  return turns ? stay : { replicas, values };
}
