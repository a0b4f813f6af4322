import { type HorizontalPodAutoscaler, horizontalPodAutoscaler, type KindRegistry, pod } from '@periplus/api';
import { type DeepReadonly, formatTime, parseLabelSelector, parseQuantity } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import type { Command } from '@periplus/client';
import { type Controller, defineController, idle, type Plan } from '@periplus/reconcile';
import {
  type InvalidProposal,
  isValid,
  type MetricStatus,
  type Proposal,
  proposalOf,
  type ValidProposal,
} from './metric-proposal.ts';
import type { HeardMetrics, PodUsage } from './pod-usage.ts';
import type { ReadinessSettings, Tolerance } from './replica-count.ts';
import { type ScaleTarget, scaleTarget } from './scale-target.ts';
import { historyOf, type ScalingHistory, withRecommendation, withRescale } from './scaling-history.ts';
import { limited, longestPeriod, longestWindow } from './scaling-limits.ts';
import { Outcome, statusCommands } from './scaling-status.ts';

type Autoscaler = DeepReadonly<HorizontalPodAutoscaler>;

/** With the meaning of kube-controller-manager's --horizontal-pod-autoscaler-* options. */
export interface AutoscalerSettings extends ReadinessSettings {
  /** How often each autoscaler is looked at. */
  syncPeriodMs: number;
  /** How long there are as many as were ever wanted, for autoscalers that do not say. */
  downscaleStabilizationMs: number;
  /** Of the ratio of use to target, around 1. */
  tolerance: number;
}

interface Inputs {
  autoscaler: Autoscaler;
  view: View;
  settings: AutoscalerSettings;
}

/**
 * Scales workloads by what their pods use. The metrics come as an input beside the view; what was recommended and done
 * before is read from the object itself.
 * https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
 */
export const hpaController = (
  kinds: KindRegistry,
  usage: PodUsage,
  settings: AutoscalerSettings,
): Controller<HorizontalPodAutoscaler> =>
  defineController<HorizontalPodAutoscaler>({
    name: 'horizontal-pod-autoscaler',
    for: horizontalPodAutoscaler,
    // Each look may double the replicas: a status that was just written must not bring the next one forward.
    restMs: settings.syncPeriodMs,
    reportsAs: 'horizontal-pod-autoscaler',
    reconcile({ namespace, name }, view) {
      const autoscaler = view.get(horizontalPodAutoscaler, namespace, name);
      if (!autoscaler || autoscaler.metadata.deletionTimestamp) return idle;
      const again = { lookAgainMs: settings.syncPeriodMs };
      const heard = usage.in(namespace);
      if (!heard) return { steps: [], ...again };
      return {
        ...planAutoscaler({ autoscaler, view, settings }, scaleTarget(autoscaler, kinds, view), heard),
        ...again,
      };
    },
  });

function planAutoscaler(inputs: Inputs, target: ScaleTarget | { problem: string }, heard: HeardMetrics): Plan {
  const { autoscaler, view } = inputs;
  const outcome = new Outcome(autoscaler, formatTime(view.nowMs));
  if ('problem' in target) {
    outcome.event('Warning', 'FailedGetScale', target.problem);
    const message = `the HPA controller was unable to get the target's current scale: ${target.problem}`;
    outcome.condition('AbleToScale', 'False', 'FailedGetScale', message);
    return { steps: [statusCommands(autoscaler, outcome.status)], events: outcome.events };
  }
  outcome.condition(
    'AbleToScale',
    'True',
    'SucceededGetScale',
    "the HPA controller was able to get the target's current scale",
  );
  const { minReplicas = 1, maxReplicas } = autoscaler.spec;
  const { replicas } = target;
  if (replicas === 0 && minReplicas !== 0) {
    const why = 'scaling is disabled since the replica count of the target is zero';
    outcome.condition('ScalingActive', 'False', 'ScalingDisabled', why);
    outcome.numbers(replicas, replicas, undefined);
    return { steps: [statusCommands(autoscaler, outcome.status)], events: outcome.events };
  }
  const history = historyOf(autoscaler);
  if (replicas > maxReplicas) {
    const why = 'Current number of replicas above Spec.MaxReplicas';
    return rescale(inputs, outcome, target, { replicas: maxReplicas, why, history });
  }
  if (replicas < minReplicas) {
    const why = 'Current number of replicas below Spec.MinReplicas';
    return rescale(inputs, outcome, target, { replicas: minReplicas, why, history });
  }
  return planByMetrics(inputs, outcome, target, heard);
}

function planByMetrics(inputs: Inputs, outcome: Outcome, target: ScaleTarget, heard: HeardMetrics): Plan {
  const { autoscaler, view, settings } = inputs;
  const { behavior, minReplicas = 1, maxReplicas } = autoscaler.spec;
  const { replicas: current } = target;
  const decision = decide(inputs, outcome, target, heard);
  if ('problem' in decision) {
    outcome.numbers(current, outcome.status.desiredReplicas, decision.metrics);
    outcome.event('Warning', 'FailedComputeMetricsReplicas', decision.problem);
    return { steps: [statusCommands(autoscaler, outcome.status)], events: outcome.events };
  }
  const nowSeconds = Math.floor(view.nowMs / 1000);
  const downSeconds = settings.downscaleStabilizationMs / 1000;
  const known = historyOf(autoscaler);
  // Nothing is taken away before a window has passed in which this controller looked.
  const before = known.recommended.length > 0 ? known : { ...known, recommended: [[nowSeconds, current] as const] };
  const { replicas, ability, limit } = limited({
    ...{ behavior, history: before, minReplicas, maxReplicas, nowSeconds, downSeconds },
    ...{ currentReplicas: current, desiredReplicas: decision.replicas },
  });
  outcome.condition('AbleToScale', 'True', ability.reason, ability.message);
  outcome.condition('ScalingLimited', limit.isLimited ? 'True' : 'False', limit.reason, limit.message);
  const history = withRecommendation(before, decision.replicas, nowSeconds, longestWindow(behavior, downSeconds));
  if (replicas === current) {
    outcome.numbers(current, current, decision.metrics);
    return { steps: [statusCommands(autoscaler, outcome.status, history)], events: outcome.events };
  }
  const why = decision.replicas > current ? `${decision.metric} above target` : 'All metrics below target';
  return rescale(inputs, outcome, target, { replicas, why, history, metrics: decision.metrics });
}

type Decision = { metrics: MetricStatus[] } & ({ replicas: number; metric: string } | { problem: string });

/** The largest number that a metric asks for. Where one says nothing, there are not fewer on the word of the others. */
function decide({ autoscaler, view, settings }: Inputs, outcome: Outcome, target: ScaleTarget, heard: HeardMetrics) {
  const { namespace = '' } = autoscaler.metadata;
  const { metrics: specs = [], behavior } = autoscaler.spec;
  if (target.selector === '') {
    outcome.event('Warning', 'SelectorRequired', 'selector is required');
    const why = "the HPA target's scale is missing a selector";
    outcome.condition('ScalingActive', 'False', 'InvalidSelector', why);
    return { metrics: [], problem: 'selector is required' } satisfies Decision;
  }
  const selector = parseLabelSelector(target.selector);
  const pods = view.list(pod, namespace).filter(({ metadata }) => selector.matches(metadata.labels));
  const tolerance: Tolerance = {
    up: toleranceOf(behavior?.scaleUp?.tolerance, settings),
    down: toleranceOf(behavior?.scaleDown?.tolerance, settings),
  };
  const measured = { pods, heard, namespace, currentReplicas: target.replicas, tolerance, settings, nowMs: view.nowMs };
  const proposals = specs.map((spec) => proposalOf(measured, spec));
  return summary(outcome, target, proposals);
}

function summary(outcome: Outcome, target: ScaleTarget, proposals: readonly Proposal[]): Decision {
  const metrics = proposals.map((one): MetricStatus => (isValid(one) ? one.status : { type: '' }));
  const valid = proposals.filter(isValid);
  const failed = proposals.filter((one): one is InvalidProposal => !isValid(one));
  for (const { reason, problem } of failed) outcome.event('Warning', reason, problem);
  const largest = valid.reduce<ValidProposal | undefined>(
    (most, one) => (most && most.replicas >= one.replicas ? most : one),
    undefined,
  );
  const [first] = failed;
  if (first && (!largest || largest.replicas < target.replicas)) {
    const message = `the HPA was unable to compute the replica count: ${first.problem}`;
    outcome.condition('ScalingActive', 'False', first.reason, message);
    const counts = `${failed.length} invalid out of ${proposals.length}`;
    return { metrics, problem: `invalid metrics (${counts}), first error is: ${first.summary}` };
  }
  const { replicas, metric } = largest!;
  const message = `the HPA was able to successfully calculate a replica count from ${metric}`;
  outcome.condition('ScalingActive', 'True', 'ValidMetricFound', message);
  return { metrics, replicas, metric };
}

const toleranceOf = (stated: string | number | undefined, { tolerance }: AutoscalerSettings): number =>
  stated === undefined ? tolerance : parseQuantity(stated).milliValue() / 1000;

interface Rescale {
  replicas: number;
  why: string;
  history: ScalingHistory;
  metrics?: MetricStatus[];
}

/** First the target, then what is said of it: a scale that is refused is not told as done. */
function rescale({ autoscaler, view }: Inputs, outcome: Outcome, target: ScaleTarget, wanted: Rescale): Plan {
  const { replicas, why, metrics } = wanted;
  const { metadata } = target.object;
  const command: Command = {
    verb: 'patch',
    kind: target.kind,
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    subresource: 'scale',
    ifUid: metadata.uid,
    ifResourceVersion: metadata.resourceVersion,
    type: 'merge',
    patch: { spec: { replicas } },
  };
  const reason = `New size: ${replicas}; reason: ${why}`;
  outcome.event('Normal', 'SuccessfulRescale', reason, { after: command });
  outcome.event('Warning', 'FailedRescale', `${reason}; error`, { onRefusalOf: command });
  const failed = outcome.fork();
  failed.numbers(target.replicas, outcome.status.desiredReplicas, metrics);
  const done = `the HPA controller was able to update the target scale to ${replicas}`;
  outcome.condition('AbleToScale', 'True', 'SucceededRescale', done);
  outcome.numbers(target.replicas, replicas, metrics);
  outcome.rescaled();
  const { behavior } = autoscaler.spec;
  const history = behavior
    ? withRescale(wanted.history, replicas - target.replicas, Math.floor(view.nowMs / 1000), longestPeriod(behavior))
    : wanted.history;
  return {
    steps: [[command], statusCommands(autoscaler, outcome.status, history)],
    events: outcome.events,
    onRefusal([refusal]) {
      const message = `the HPA controller was unable to update the target scale: ${refusal?.error.message}`;
      failed.condition('AbleToScale', 'False', 'FailedUpdateScale', message);
      return statusCommands(autoscaler, failed.status);
    },
  };
}
