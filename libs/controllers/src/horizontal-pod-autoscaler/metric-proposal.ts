/** What each kind of metric asks for, in Kubernetes' words. */
import type { HorizontalPodAutoscaler } from '@periplus/api';
import { type DeepReadonly, parseQuantity, parseTime, Quantity } from '@periplus/apimachinery';
import type { PodView } from '../pod-state.ts';
import { selectorInGo } from '../selectors.ts';
import type { HeardMetrics } from './pod-usage.ts';
import { countReplicas, type ReadinessSettings, type Sample, type Target, type Tolerance } from './replica-count.ts';

type Autoscaler = DeepReadonly<HorizontalPodAutoscaler>;
export type MetricSpec = NonNullable<Autoscaler['spec']['metrics']>[number];
export type MetricStatus = NonNullable<NonNullable<HorizontalPodAutoscaler['status']>['currentMetrics']>[number];
type ResourceTarget = NonNullable<MetricSpec['resource']>['target'];

/** What a metric asks for. */
export interface ValidProposal {
  replicas: number;
  /** What it is called in the reason of a change. */
  metric: string;
  status: MetricStatus;
}

/** Why a metric asks for nothing. */
export interface InvalidProposal {
  /** Of the condition ScalingActive, and of the event. */
  reason: string;
  /** What the condition and the event say. */
  problem: string;
  /** What is said of it where all metrics are summed up. */
  summary: string;
}

export type Proposal = ValidProposal | InvalidProposal;
export const isValid = (proposal: Proposal): proposal is ValidProposal => 'replicas' in proposal;

export interface Measured {
  pods: readonly PodView[];
  heard: HeardMetrics;
  namespace: string;
  currentReplicas: number;
  tolerance: Tolerance;
  settings: ReadinessSettings;
  nowMs: number;
}

const NO_CUSTOM_METRICS =
  'unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered';

/** "1m2.5s", as Go prints durations, in milliseconds. */
const windowMs = (window: string): number => {
  const [, minutes = '0', seconds = '0'] = /^(?:(\d+)m)?(?:([\d.]+)s)?$/.exec(window) ?? [];
  return Number(minutes) * 60_000 + Number(seconds) * 1_000;
};

/** By pod; of one container, or the sum of all. A pod without the resource has no sample. */
function samplesOf(
  { pods, heard, namespace }: Measured,
  resource: string,
  container: string,
): Map<string, Sample> | { problem: string } {
  if ('problem' in heard) return { problem: `unable to fetch metrics from resource metrics API: ${heard.problem}` };
  const samples = new Map<string, Sample>();
  let found = 0;
  for (const { metadata } of pods) {
    const name = metadata.name ?? '';
    const metrics = heard.byPod.get(name);
    if (!metrics) continue;
    found += 1;
    const measured = metrics.containers.filter((one) => container === '' || one.name === container);
    if (measured.length === 0 && container !== '') {
      const what = `container ${container} not present in metrics for pod ${namespace}/${name}`;
      return { problem: `failed to get container metrics: ${what}` };
    }
    if (measured.length === 0 || !measured.every(({ usage }) => usage[resource] !== undefined)) continue;
    const value = measured.reduce((sum, { usage }) => sum + parseQuantity(usage[resource]!).milliValue(), 0);
    samples.set(name, { value, atMs: parseTime(metrics.timestamp) ?? 0, windowMs: windowMs(metrics.window) });
  }
  return found === 0 ? { problem: 'no metrics returned from resource metrics API' } : samples;
}

/** In thousandths, by pod: what is asked for for the whole pod, or the sum of its containers that keep running. */
function requestsOf(
  pods: readonly PodView[],
  resource: string,
  container: string,
): Map<string, number> | { problem: string } {
  const requests = new Map<string, number>();
  for (const { metadata, spec } of pods) {
    const { name = '' } = metadata;
    const whole = container === '' ? spec.resources?.requests?.[resource] : undefined;
    if (whole !== undefined) {
      requests.set(name, parseQuantity(whole).milliValue());
      continue;
    }
    const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
    const counted = [...spec.containers, ...sidecars].filter((one) => container === '' || one.name === container);
    if (counted.length === 0) return { problem: `container ${container} not found in Pod ${name}` };
    const silent = counted.find(({ resources }) => resources?.requests?.[resource] === undefined);
    if (silent) return { problem: `missing request for ${resource} in container ${silent.name} of Pod ${name}` };
    const total = counted.reduce(
      (sum, one) => sum + parseQuantity(one.resources!.requests![resource]!).milliValue(),
      0,
    );
    requests.set(name, total);
  }
  return requests;
}

const total = (values: ReadonlyMap<string, number>, of?: ReadonlyMap<string, number>): number => {
  let sum = 0;
  for (const [pod, value] of values) sum += of ? (of.get(pod) ?? 0) : value;
  return sum;
};

/** Percent of what is requested, in whole percents as Kubernetes counts. */
const utilization = (values: ReadonlyMap<string, number>, requests: ReadonlyMap<string, number>): number =>
  Math.trunc((total(values) * 100) / total(values, requests));

const average = (values: ReadonlyMap<string, number>): number => Math.trunc(total(values) / values.size);

type Current = NonNullable<MetricStatus['resource']>['current'];
type Counted = { replicas: number; current: Current } | { problem: string };

function byUtilization(measured: Measured, resource: string, container: string, wanted: number): Counted {
  const failed = (problem: string) => ({ problem: `failed to get ${resource} utilization: ${problem}` });
  const samples = samplesOf(measured, resource, container);
  if ('problem' in samples) return failed(`unable to get metrics for resource ${resource}: ${samples.problem}`);
  const requests = requestsOf(measured.pods, resource, container);
  const target: Target = {
    ratio: (values) => ('problem' in requests ? 1 : utilization(values, requests) / wanted),
    assumed: (pod) => ('problem' in requests ? 0 : ((requests.get(pod) ?? 0) * Math.max(100, wanted)) / 100),
  };
  const count = countReplicas({ ...measured, samples, resource, target });
  if ('problem' in count) return failed(count.problem);
  if ('problem' in requests) return failed(requests.problem);
  if (total(count.values, requests) === 0) return failed('no metrics returned matched known pods');
  const averageValue = Quantity.ofMilli(average(count.values)).toString();
  return {
    replicas: count.replicas,
    current: { averageUtilization: utilization(count.values, requests), averageValue },
  };
}

function byValue(measured: Measured, resource: string, container: string, wanted: string | number): Counted {
  const failed = (problem: string) => ({ problem: `failed to get ${resource} usage: ${problem}` });
  const samples = samplesOf(measured, resource, container);
  if ('problem' in samples) return failed(`unable to get metrics for resource ${resource}: ${samples.problem}`);
  const milli = parseQuantity(wanted).milliValue();
  const target: Target = { ratio: (values) => average(values) / milli, assumed: () => milli };
  const count = countReplicas({ ...measured, samples, resource, target });
  if ('problem' in count) return failed(count.problem);
  return {
    replicas: count.replicas,
    current: { averageValue: Quantity.ofMilli(average(count.values)).toString() },
  };
}

function counted(measured: Measured, resource: string, container: string, target: ResourceTarget): Counted {
  const { averageValue, averageUtilization } = target;
  if (averageValue !== undefined) return byValue(measured, resource, container, averageValue);
  if (averageUtilization !== undefined) return byUtilization(measured, resource, container, averageUtilization);
  const expected = 'neither an average utilization target nor an average value (usage) target was set';
  return { problem: `invalid resource metric source: ${expected}` };
}

function ofResource(measured: Measured, spec: MetricSpec): Proposal {
  const { name, target } = spec.resource!;
  const count = counted(measured, name, '', target);
  if ('problem' in count) {
    const summary = `failed to get ${name} resource metric value: ${count.problem}`;
    return { reason: 'FailedGetResourceMetric', problem: count.problem, summary };
  }
  const { replicas, current } = count;
  const metric = target.averageValue === undefined ? 'resource utilization (percentage of request)' : 'resource';
  return { replicas, metric: `${name} ${metric}`, status: { type: 'Resource', resource: { name, current } } };
}

function ofContainer(measured: Measured, spec: MetricSpec): Proposal {
  const { name, container, target } = spec.containerResource!;
  const count = counted(measured, name, container, target);
  if ('problem' in count) {
    const summary = `failed to get ${container} container metric value: ${count.problem}`;
    return { reason: 'FailedGetContainerResourceMetric', problem: count.problem, summary };
  }
  const { replicas, current } = count;
  const metric =
    target.averageValue === undefined ? 'container resource utilization (percentage of request)' : 'resource';
  const status: MetricStatus = { type: 'ContainerResource', containerResource: { name, container, current } };
  return { replicas, metric: `${name} ${metric}`, status };
}

/** What Kubernetes says where nobody serves the APIs of other metrics. */
function unserved(spec: MetricSpec, namespace: string): Proposal {
  const { object, pods, external } = spec;
  if (object) {
    const { kind, name } = object.describedObject;
    const where = `${kind} on ${namespace} ${name}`;
    const problem = `unable to get metric ${object.metric.name}: ${where}/${NO_CUSTOM_METRICS}`;
    const summary = `failed to get object metric value: failed to get ${object.metric.name} object metric: ${problem}`;
    return { reason: 'FailedGetObjectMetric', problem, summary };
  }
  if (pods) {
    const problem = `unable to get metric ${pods.metric.name}: ${NO_CUSTOM_METRICS}`;
    return { reason: 'FailedGetPodsMetric', problem, summary: `failed to get pods metric value: ${problem}` };
  }
  const name = external?.metric.name ?? '';
  const selector = selectorInGo(external?.metric.selector);
  const missing = `the server could not find the requested resource (get ${name}.external.metrics.k8s.io)`;
  const problem = `unable to get external metric ${namespace}/${name}/${selector}: unable to fetch metrics from external metrics API: ${missing}`;
  const summary = `failed to get ${name} external metric value: failed to get ${name} external metric: ${problem}`;
  return { reason: 'FailedGetExternalMetric', problem, summary };
}

export function proposalOf(measured: Measured, spec: MetricSpec): Proposal {
  if (spec.resource) return ofResource(measured, spec);
  if (spec.containerResource) return ofContainer(measured, spec);
  return unserved(spec, measured.namespace);
}
