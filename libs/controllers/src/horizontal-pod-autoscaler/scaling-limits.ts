/** From what metrics ask for to what is done: stabilisation, policies and limits. Pure. */
import type { HorizontalPodAutoscaler } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import { changeWithin, recommendedWithin, type ScalingHistory } from './scaling-history.ts';

type Behavior = NonNullable<DeepReadonly<HorizontalPodAutoscaler>['spec']['behavior']>;
type Rules = NonNullable<Behavior['scaleUp']>;

/** Without policies, as many again may be added at once, and at least this many. */
const UP_FACTOR = 2;
const UP_MIN = 4;

/** A condition, or half of one. */
interface Verdict {
  reason: string;
  message: string;
}

export interface Limited {
  replicas: number;
  /** Of AbleToScale. */
  ability: Verdict;
  /** Of ScalingLimited. */
  limit: Verdict & { isLimited: boolean };
}

export interface LimitRequest {
  behavior: Behavior | undefined;
  history: ScalingHistory;
  currentReplicas: number;
  desiredReplicas: number;
  minReplicas: number;
  maxReplicas: number;
  nowSeconds: number;
  /** For those who do not say how long to wait before there are fewer. */
  downSeconds: number;
}

const READY: Verdict = { reason: 'ReadyForNewScale', message: 'recommended size matches current size' };
const UP_STABILIZED: Verdict = {
  reason: 'ScaleUpStabilized',
  message: 'recent recommendations were lower than current one, applying the lowest recent recommendation',
};
const DOWN_STABILIZED: Verdict = {
  reason: 'ScaleDownStabilized',
  message: 'recent recommendations were higher than current one, applying the highest recent recommendation',
};
const WITHIN: Verdict = {
  reason: 'DesiredWithinRange',
  message: 'the desired count is within the acceptable range',
};
const TOO_MANY: Verdict = {
  reason: 'TooManyReplicas',
  message: 'the desired replica count is more than the maximum replica count',
};
const TOO_FEW: Verdict = {
  reason: 'TooFewReplicas',
  message: 'the desired replica count is less than the minimum replica count',
};
const UP_LIMIT: Verdict = {
  reason: 'ScaleUpLimit',
  message: 'the desired replica count is increasing faster than the maximum scale rate',
};
const DOWN_LIMIT: Verdict = {
  reason: 'ScaleDownLimit',
  message: 'the desired replica count is decreasing faster than the maximum scale rate',
};

/** How far back stabilisation looks. */
export const longestWindow = (behavior: Behavior | undefined, downSeconds: number): number =>
  Math.max(
    behavior?.scaleUp?.stabilizationWindowSeconds ?? 0,
    behavior?.scaleDown?.stabilizationWindowSeconds ?? downSeconds,
  );

/** How far back policies look. */
export const longestPeriod = ({ scaleUp, scaleDown }: Behavior): number =>
  Math.max(0, ...[scaleUp, scaleDown].flatMap((rules) => rules?.policies?.map((one) => one.periodSeconds) ?? []));

/** The smallest change that was right all the time: as many as at least, no more than at most were wanted. */
function stabilized({ behavior, history, currentReplicas, desiredReplicas, ...request }: LimitRequest): number {
  const { nowSeconds, downSeconds } = request;
  const up = behavior?.scaleUp?.stabilizationWindowSeconds ?? 0;
  const down = behavior?.scaleDown?.stabilizationWindowSeconds ?? downSeconds;
  const least = Math.min(desiredReplicas, ...recommendedWithin(history, nowSeconds, up));
  const most = Math.max(desiredReplicas, ...recommendedWithin(history, nowSeconds, down));
  return Math.min(Math.max(currentReplicas, least), most);
}

/** How many there may be after a change in this direction, by the policies. */
function policyLimit(
  rules: Rules | undefined,
  { history, currentReplicas, nowSeconds }: LimitRequest,
  isUp: boolean,
): number {
  if (!rules || rules.selectPolicy === 'Disabled') return currentReplicas;
  const proposals = (rules.policies ?? []).map(({ type, value, periodSeconds }) => {
    const before = currentReplicas - changeWithin(history, nowSeconds, periodSeconds);
    if (type === 'Pods') return isUp ? before + value : before - value;
    return isUp ? Math.ceil(before * (1 + value / 100)) : Math.trunc(before * (1 - value / 100));
  });
  const takesMost = (rules.selectPolicy === 'Min') !== isUp;
  const chosen = takesMost ? Math.max(...proposals) : Math.min(...proposals);
  // What a period has had too much of is not taken back.
  return isUp ? Math.max(chosen, currentReplicas) : Math.min(chosen, currentReplicas);
}

type Bounded = [replicas: number, verdict: Verdict];

function boundedByPolicies(request: LimitRequest, wanted: number): Bounded {
  const { behavior, currentReplicas, minReplicas, maxReplicas } = request;
  if (wanted > currentReplicas) {
    const limit = policyLimit(behavior!.scaleUp, request, true);
    const most = Math.min(maxReplicas, limit);
    if (wanted > most) return [most, maxReplicas > limit ? UP_LIMIT : TOO_MANY];
  } else if (wanted < currentReplicas) {
    const limit = policyLimit(behavior!.scaleDown, request, false);
    const least = Math.max(minReplicas, limit);
    if (wanted < least) return [least, minReplicas < limit ? DOWN_LIMIT : TOO_FEW];
  }
  return [wanted, WITHIN];
}

function boundedByDefault({ currentReplicas, minReplicas, maxReplicas }: LimitRequest, wanted: number): Bounded {
  const limit = Math.max(UP_FACTOR * currentReplicas, UP_MIN);
  const most = Math.min(maxReplicas, limit);
  if (wanted < minReplicas) return [minReplicas, TOO_FEW];
  if (wanted > most) return [most, maxReplicas > limit ? UP_LIMIT : TOO_MANY];
  return [wanted, WITHIN];
}

/**
 * What is done of what metrics ask for. `history` has what was recommended before. The current number is within the
 * limits, and so is the result.
 * https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#configurable-scaling-behavior
 */
export function limited(request: LimitRequest): Limited {
  const { behavior, currentReplicas, desiredReplicas } = request;
  // Without rules of its own, only what would be fewer waits.
  const wanted = behavior
    ? stabilized(request)
    : Math.max(desiredReplicas, ...recommendedWithin(request.history, request.nowSeconds, request.downSeconds));
  const stability = behavior && desiredReplicas >= currentReplicas ? UP_STABILIZED : DOWN_STABILIZED;
  const [replicas, verdict] = (behavior ? boundedByPolicies : boundedByDefault)(request, wanted);
  return {
    replicas,
    ability: wanted === desiredReplicas ? READY : stability,
    limit: { ...verdict, isLimited: replicas !== wanted },
  };
}
