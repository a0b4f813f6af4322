/** What a LimitRange has to say of a pod or a claim, in kube-apiserver's words. */
import { type Amounts, amountsOf, type LimitRange, type Pod, podLimits, podRequests } from '@periplus/api';
import { type DeepReadonly, parseQuantity, type Quantity } from '@periplus/apimachinery';

type Item = DeepReadonly<LimitRange>['spec']['limits'][number];
export type Asked = Pick<LimitRange['spec']['limits'][number], 'default' | 'defaultRequest'>;

interface Constraint {
  type: string;
  resource: string;
  enforced: Quantity;
  request: Quantity | undefined;
  limit: Quantity | undefined;
}

type Check = (constraint: Constraint) => string | undefined;

const exceeds = (one: Quantity, other: Quantity): boolean => one.compare(other) > 0;

const min: Check = ({ type, resource, enforced, request, limit }) => {
  const rule = `minimum ${resource} usage per ${type} is ${enforced}`;
  if (!request) return `${rule}.  No request is specified`;
  if (exceeds(enforced, request)) return `${rule}, but request is ${request}`;
  return limit && exceeds(enforced, limit) ? `${rule}, but limit is ${limit}` : undefined;
};

const max: Check = ({ type, resource, enforced, request, limit }) => {
  const rule = `maximum ${resource} usage per ${type} is ${enforced}`;
  if (!limit) return `${rule}.  No limit is specified`;
  if (exceeds(limit, enforced)) return `${rule}, but limit is ${limit}`;
  return request && exceeds(request, enforced) ? `${rule}, but request is ${request}` : undefined;
};

const maxLimitRequestRatio: Check = ({ type, resource, enforced, request, limit }) => {
  const rule = `${resource} max limit to request ratio per ${type} is ${enforced}`;
  if (!request || request.isZero) return `${rule}, but no request is specified or request is 0`;
  if (!limit || limit.isZero) return `${rule}, but no limit is specified or limit is 0`;
  const ratio = Number(limit.nano) / Number(request.nano);
  if (ratio <= enforced.milliValue() / 1000) return undefined;
  return `${rule}, but provided ratio is ${ratio.toFixed(6)}`;
};

const CHECKS = { min, max, maxLimitRequestRatio } as const;

function problemsOf(item: Item, requests: Amounts, limits: Amounts): string[] {
  const problems: string[] = [];
  for (const [bound, check] of Object.entries(CHECKS)) {
    const quantities = item[bound as keyof typeof CHECKS] ?? {};
    for (const resource of Object.keys(quantities).sort()) {
      const problem = check({
        type: item.type,
        resource,
        enforced: parseQuantity(quantities[resource]!),
        request: requests.get(resource),
        limit: limits.get(resource),
      });
      if (problem) problems.push(problem);
    }
  }
  return problems;
}

export function podProblems(items: readonly Item[], spec: DeepReadonly<Pod['spec']>): string[] {
  return items.flatMap((item) => {
    if (item.type === 'Pod') return problemsOf(item, podRequests(spec), podLimits(spec));
    if (item.type !== 'Container') return [];
    return [...spec.containers, ...(spec.initContainers ?? [])].flatMap(({ resources }) =>
      problemsOf(item, amountsOf(resources?.requests), amountsOf(resources?.limits)),
    );
  });
}

/** Claims have requests only. */
export function claimProblems(items: readonly Item[], storage: Quantity): string[] {
  const problems: string[] = [];
  for (const item of items) {
    if (item.type !== 'PersistentVolumeClaim') continue;
    const refuse = (bound: 'min' | 'max', sign: number, word: string): void => {
      const enforced = item[bound]?.storage;
      if (enforced === undefined || parseQuantity(enforced).compare(storage) * sign >= 0) return;
      const rule = `${word} storage usage per ${item.type} is ${parseQuantity(enforced)}`;
      problems.push(`${rule}, but request is ${storage}`);
    };
    refuse('min', -1, 'minimum');
    refuse('max', 1, 'maximum');
  }
  return problems;
}
