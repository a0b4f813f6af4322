import type { DeepReadonly } from '@periplus/apimachinery';
import type { PodView } from '../pod-state.ts';
import type { JobView } from './job-pod.ts';

type Policy = NonNullable<JobView['spec']['podFailurePolicy']>;
type Rule = Policy['rules'][number];
type ContainerStatus = NonNullable<NonNullable<PodView['status']>['containerStatuses']>[number];

/** What a policy says of a pod that failed. */
export interface Judgement {
  /** Counts towards the backoff limits. */
  counts: boolean;
  /** Its index shall not be tried again. */
  failsIndex: boolean;
  /** Why the Job fails; undefined when it does not. */
  failsJob: string | undefined;
}

const COUNTED: Judgement = { counts: true, failsIndex: false, failsJob: undefined };

/** The container whose end fits, and how it ended. */
function exitOf(pod: PodView, { onExitCodes }: Rule): { name: string; exitCode: number } | undefined {
  if (!onExitCodes) return undefined;
  const { containerName, operator, values = [] } = onExitCodes;
  const fits = ({ name, state }: DeepReadonly<ContainerStatus>): boolean => {
    const exitCode = state?.terminated?.exitCode;
    if (!exitCode || (containerName !== undefined && containerName !== name)) return false;
    return operator === 'In' ? values.includes(exitCode) : operator === 'NotIn' && !values.includes(exitCode);
  };
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  const found = containerStatuses.find(fits) ?? initContainerStatuses.find(fits);
  return found && { name: found.name, exitCode: found.state!.terminated!.exitCode };
}

const conditionFitting = (pod: PodView, { onPodConditions = [] }: Rule) =>
  pod.status?.conditions?.find(({ type, status }) =>
    onPodConditions.some((pattern) => pattern.type === type && pattern.status === status),
  );

/** What about a pod makes a rule apply, in words; undefined when it does not apply. */
function matched(pod: PodView, rule: Rule): string | undefined {
  const { namespace, name } = pod.metadata;
  if (rule.onExitCodes) {
    const exit = exitOf(pod, rule);
    return exit && `Container ${exit.name} for pod ${namespace}/${name} failed with exit code ${exit.exitCode}`;
  }
  const condition = conditionFitting(pod, rule);
  return condition && `Pod ${namespace}/${name} has condition ${condition.type}`;
}

/**
 * Judges a pod that failed by the first rule that applies to it; without one it counts.
 * https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy
 */
export function judge(policy: Policy | undefined, pod: PodView): Judgement {
  for (const [position, rule] of (policy?.rules ?? []).entries()) {
    const what = matched(pod, rule);
    if (what === undefined) continue;
    const { action } = rule;
    return {
      counts: action !== 'Ignore',
      failsIndex: action === 'FailIndex',
      failsJob: action === 'FailJob' ? `${what} matching ${action} rule at index ${position}` : undefined,
    };
  }
  return COUNTED;
}
