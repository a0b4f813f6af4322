import { type HorizontalPodAutoscaler, horizontalPodAutoscaler, sameValue } from '@periplus/api';
import { type DeepReadonly, type JsonObject, withCondition } from '@periplus/apimachinery';
import type { Command } from '@periplus/client';
import type { PlannedEvent } from '@periplus/reconcile';
import type { MetricStatus } from './metric-proposal.ts';
import { HISTORY_ANNOTATION, historyText, type ScalingHistory } from './scaling-history.ts';

type Autoscaler = DeepReadonly<HorizontalPodAutoscaler>;
type Status = NonNullable<HorizontalPodAutoscaler['status']>;
type Condition = NonNullable<Status['conditions']>[number];
type ConditionType = 'AbleToScale' | 'ScalingActive' | 'ScalingLimited';

/** What is to become of an autoscaler's status, its history and its target. Changed step by step, within one look. */
export class Outcome {
  readonly events: PlannedEvent[] = [];
  status: Status;
  private readonly about: Autoscaler;
  private readonly now: string;

  constructor(about: Autoscaler, now: string, status = (about.status ?? { desiredReplicas: 0 }) as Status) {
    this.about = about;
    this.now = now;
    this.status = status;
  }

  condition(type: ConditionType, status: 'True' | 'False', reason: string, message: string): void {
    const before = this.status.conditions as readonly Condition[] | undefined;
    const condition: Condition = { type, status, reason, message, lastTransitionTime: this.now };
    this.status = { ...this.status, conditions: [...withCondition(before, condition, this.now)] };
  }

  /** The same status so far, to go on with in another way; without events. */
  fork(): Outcome {
    return new Outcome(this.about, this.now, this.status);
  }

  /** `more` ties it to a command of the plan. */
  event(
    type: PlannedEvent['type'],
    reason: string,
    message: string,
    more: Pick<PlannedEvent, 'after' | 'onRefusalOf'> = {},
  ): void {
    this.events.push({ about: this.about, type, reason, message, ...more });
  }

  numbers(currentReplicas: number, desiredReplicas: number, currentMetrics: MetricStatus[] | undefined): void {
    const { conditions, lastScaleTime } = this.status;
    this.status = {
      ...(lastScaleTime !== undefined && { lastScaleTime }),
      ...{ currentReplicas, desiredReplicas },
      ...(currentMetrics && { currentMetrics }),
      ...(conditions && { conditions }),
    };
  }

  rescaled(): void {
    this.status = { ...this.status, lastScaleTime: this.now };
  }
}

/** The status and the history in one write, as far as they differ. */
export function statusCommands(autoscaler: Autoscaler, wanted: Status, history?: ScalingHistory): Command[] {
  const { metadata } = autoscaler;
  const status: DeepReadonly<Partial<Status>> = autoscaler.status ?? {};
  const patch: JsonObject = {};
  for (const name of Object.keys({ ...status, ...wanted }) as (keyof Status)[]) {
    if (!sameValue(status[name], wanted[name])) patch[name] = (wanted[name] ?? null) as JsonObject[string];
  }
  const text = history && historyText(history);
  const isRemembered = text === undefined || metadata.annotations?.[HISTORY_ANNOTATION] === text;
  if (Object.keys(patch).length === 0 && isRemembered) return [];
  return [
    {
      verb: 'patch',
      kind: horizontalPodAutoscaler,
      namespace: metadata.namespace ?? '',
      name: metadata.name ?? '',
      subresource: 'status',
      ifUid: metadata.uid,
      type: 'merge',
      patch: {
        status: patch,
        ...(!isRemembered && { metadata: { annotations: { [HISTORY_ANNOTATION]: text } } }),
      },
    },
  ];
}
