import { type Pod, type PodDisruptionBudget, pod, podDisruptionBudget } from '@periplus/api';
import {
  badRequest,
  type DeepReadonly,
  forbidden,
  formatTime,
  isConditionTrue,
  isConflict,
  isJsonObject,
  type KubeObject,
  notFound,
  StatusError,
  withCondition,
} from '@periplus/apimachinery';
import type { Body, DeleteOptions, ObjectResult, RequestContext, Target } from '../types.ts';
import { ATTEMPTS_MAX, changeObject, checkPreconditions } from '../writing/change.ts';
import { resultOf } from '../writing/committer.ts';
import type { WriteDeps } from '../writing/create.ts';
import { decodeBody } from '../writing/decode.ts';
import { deleteAuthorized } from '../writing/delete.ts';
import { checkDeleteOptions } from '../writing/deletion.ts';
import { disrupted } from '../writing/disruption.ts';
import { settleNamespace } from '../writing/metadata.ts';
import { evictionBody, olderEvictionBody } from './body-schemas.ts';

interface Eviction extends KubeObject {
  deleteOptions?: DeleteOptions;
}

type Budget = DeepReadonly<PodDisruptionBudget>;
type BudgetCondition = NonNullable<NonNullable<PodDisruptionBudget['status']>['conditions']>[number];

/** Evictions that the controller of the budget has not seen through yet. */
const DISRUPTED_PODS_MAX = 2000;
const RETRY_SECONDS = 10;
const EVICTION = { reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting' };
const REFUSAL = "Cannot evict pod as it would violate the pod's disruption budget.";
const TOO_MANY_BUDGETS =
  'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';

function tooMany(why: string, retryAfterSeconds?: number): StatusError {
  const causes = [{ reason: 'DisruptionBudget', message: why }];
  return new StatusError('TooManyRequests', REFUSAL, { causes, ...(retryAfterSeconds && { retryAfterSeconds }) });
}

const unsettled = (budget: string): StatusError =>
  tooMany(`The disruption budget ${budget} is still being processed by the server.`, RETRY_SECONDS);

/** What ended, is going, or never ran, is missed by nobody. */
const isMissedByNobody = ({ metadata, status }: DeepReadonly<Pod>): boolean =>
  metadata.deletionTimestamp !== undefined || ['Succeeded', 'Failed', 'Pending'].includes(status?.phase ?? '');

/** Whether an unready pod may go without counting as a disruption. https://kep.k8s.io/3017 */
function mayGoUnhealthy({ status }: DeepReadonly<Pod>, { spec, status: counts = {} }: Budget): boolean {
  if (isConditionTrue(status?.conditions, 'Ready')) return false;
  if (spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = counts;
  return desiredHealthy > 0 && currentHealthy >= desiredHealthy;
}

/** The budget with one disruption less, which the eviction of `podName` takes. Throws when there is none to take. */
function spent(budget: Budget, podName: string, nowMs: number): KubeObject {
  const { metadata, status = {} } = budget;
  const name = metadata.name!;
  const { disruptionsAllowed: allowed = 0, disruptedPods = {}, desiredHealthy = 0, currentHealthy = 0 } = status;
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) throw unsettled(name);
  const of = { group: 'policy', resource: 'poddisruptionbudget' };
  if (allowed < 0) throw forbidden(of, name, 'pdb disruptions allowed is negative');
  if (Object.keys(disruptedPods).length > DISRUPTED_PODS_MAX) {
    throw forbidden(of, name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller');
  }
  if (allowed === 0) {
    throw tooMany(
      `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`,
    );
  }
  const now = formatTime(nowMs);
  const insufficient: BudgetCondition = {
    type: 'DisruptionAllowed',
    status: 'False',
    reason: 'InsufficientPods',
    message: '',
    lastTransitionTime: now,
    ...(status.observedGeneration !== undefined && { observedGeneration: status.observedGeneration }),
  };
  const conditions = status.conditions as readonly BudgetCondition[] | undefined;
  return {
    ...budget,
    metadata: { ...metadata },
    status: {
      ...status,
      disruptionsAllowed: allowed - 1,
      disruptedPods: { ...disruptedPods, [podName]: now },
      ...(allowed === 1 && { conditions: withCondition(conditions, insufficient, now) }),
    },
  } as KubeObject;
}

/** An eviction of one pod on its way. */
class Evicting {
  private readonly deps: WriteDeps;
  private readonly context: RequestContext;
  private readonly target: Target;
  private readonly options: DeleteOptions;

  constructor(deps: WriteDeps, context: RequestContext, target: Target, options: DeleteOptions) {
    this.deps = deps;
    this.context = context;
    this.target = { ...target, kind: pod as unknown as Target['kind'], subresource: '' };
    this.options = options;
  }

  /** Returns the revision of the deletion. */
  async run(): Promise<number> {
    const { cluster } = this.deps;
    for (let attempt = 0; ; attempt++) {
      await cluster.refresh();
      const found = cluster.object(pod, this.target.namespace, this.target.name);
      if (!found) throw notFound({ group: '', resource: 'pods' }, this.target.name);
      if (!isMissedByNobody(found)) return this.withinBudget(found);
      // A pod that never ran may begin to be missed while we look away.
      const isUnsettled = found.status?.phase === 'Pending' && found.metadata.deletionTimestamp === undefined;
      try {
        return await this.remove(isUnsettled ? found.metadata.resourceVersion : undefined);
      } catch (error) {
        if (!isConflict(error) || this.namesVersion || attempt >= ATTEMPTS_MAX) throw error;
      }
    }
  }

  private get namesVersion(): boolean {
    return Boolean(this.options.preconditions?.resourceVersion);
  }

  private async withinBudget(found: DeepReadonly<Pod>): Promise<number> {
    const { namespace } = this.target;
    const budgets = this.deps.cluster.budgetsOf(found);
    if (budgets.length > 1) throw new StatusError('InternalError', TOO_MANY_BUDGETS);
    const [budget] = budgets;
    if (!budget) return this.remove(undefined);
    const name = budget.metadata.name!;
    if (!mayGoUnhealthy(found, budget)) {
      await this.spend(namespace, name);
      return this.remove(undefined);
    }
    try {
      return await this.remove(found.metadata.resourceVersion);
    } catch (error) {
      // It may have become ready meanwhile.
      if (isConflict(error) && !this.namesVersion) throw unsettled(name);
      throw error;
    }
  }

  private spend(namespace: string, name: string): Promise<ObjectResult> {
    const { deps, context } = this;
    const kind = podDisruptionBudget as unknown as Target['kind'];
    return changeObject(deps, {
      context,
      target: { kind, namespace, name, subresource: 'status' },
      verb: 'evict',
      attemptsMax: ATTEMPTS_MAX,
      decide: ({ object }) => ({ object: spent(object as Budget, this.target.name, context.nowMs) }),
    });
  }

  /** Says on the pod why it goes, and deletes it; `version` is what it must still be, unless the request says so. */
  private async remove(version: string | undefined): Promise<number> {
    const { deps, context, target, options } = this;
    const preconditions = { ...(version && { resourceVersion: version }), ...options.preconditions };
    const marked = await changeObject(deps, {
      context,
      target,
      verb: 'evict',
      attemptsMax: ATTEMPTS_MAX,
      decide(entry) {
        checkPreconditions(target, entry, preconditions);
        return { object: disrupted(entry.object, EVICTION, context.nowMs) };
      },
    });
    const isFixed = Boolean(preconditions.resourceVersion) && !context.dryRun;
    const { revision } = await deleteAuthorized(deps, context, target, {
      ...options,
      preconditions: { ...preconditions, ...(isFixed && { resourceVersion: marked.resourceVersion }) },
    });
    return revision;
  }
}

/** Both versions say the same. */
const bodyKindOf = ({ value }: Body) =>
  isJsonObject(value) && value.apiVersion === 'policy/v1beta1' ? olderEvictionBody : evictionBody;

/**
 * Deletes a pod if its disruption budget has room for that; TooManyRequests with the cause DisruptionBudget when not.
 * Answers with a Status. https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/
 */
export async function evictPod(
  deps: WriteDeps,
  context: RequestContext,
  target: Target,
  body: Body,
): Promise<ObjectResult> {
  deps.authorize(context, target, 'create');
  const eviction = decodeBody(context, bodyKindOf(body), body.value, body) as Eviction;
  if (eviction.metadata.name !== target.name) throw badRequest('name in URL does not match name in Eviction object');
  settleNamespace(eviction.metadata, target);
  const options = eviction.deleteOptions ?? {};
  checkDeleteOptions(options);
  const request = { operation: 'create', context, target, name: target.name, object: eviction, old: null } as const;
  const waiting = deps.admission.admit(request);
  if (waiting) await waiting;
  const reviewing = deps.admission.review(request);
  if (reviewing) await reviewing;
  const dryRun = context.dryRun || (options.dryRun?.length ?? 0) > 0;
  const revision = await new Evicting(deps, { ...context, dryRun }, target, options).run();
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
  return resultOf(status, '', revision, 201);
}
