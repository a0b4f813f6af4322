import type { PodDisruptionBudget } from '@periplus/api';
import { compileLabelSelector, type DeepReadonly, type Labels } from '@periplus/apimachinery';
import type { Depicted } from '../depicted.ts';

/** What a budget has to know of a pod. */
export interface BudgetedPod {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels | undefined;
}

interface Budget {
  matches(labels: Labels): boolean;
  readonly allowed: number;
  /** Evicted already, with the leave of the api-server. */
  readonly disrupted: ReadonlySet<string>;
}

function budgetOf({ spec, status }: DeepReadonly<PodDisruptionBudget>): Budget {
  const { selector } = spec;
  const isEmpty = !selector?.matchExpressions?.length && Object.keys(selector?.matchLabels ?? {}).length === 0;
  const compiled = isEmpty ? null : compileLabelSelector(selector);
  return {
    matches: (labels) => compiled?.matches(labels) ?? false,
    allowed: status?.disruptionsAllowed ?? 0,
    disrupted: new Set(Object.keys(status?.disruptedPods ?? {})),
  };
}

/** The PodDisruptionBudgets, as preemption minds them: a pod with no labels, and an empty selector, match nothing. */
export class DisruptionBudgets {
  /** Changes whenever an answer may. */
  version = 0;
  private readonly byNamespace = new Map<string, Map<string, Budget>>();

  set({ key, object }: Depicted): void {
    const budgets = this.byNamespace.get(key.namespace) ?? new Map<string, Budget>();
    this.byNamespace.set(key.namespace, budgets);
    budgets.set(key.name, budgetOf(object as unknown as DeepReadonly<PodDisruptionBudget>));
    this.version += 1;
  }

  delete({ key }: Depicted): void {
    const budgets = this.byNamespace.get(key.namespace);
    if (!budgets?.delete(key.name)) return;
    if (budgets.size === 0) this.byNamespace.delete(key.namespace);
    this.version += 1;
  }

  /** Of pods that would go one after the other, those that would take more than a budget has. */
  violators<P extends BudgetedPod>(pods: readonly P[]): ReadonlySet<P> {
    const violators = new Set<P>();
    const taken = new Map<Budget, number>();
    for (const pod of pods) {
      const { namespace, name, labels } = pod;
      if (!labels || Object.keys(labels).length === 0) continue;
      for (const budget of this.byNamespace.get(namespace)?.values() ?? []) {
        if (budget.disrupted.has(name) || !budget.matches(labels)) continue;
        const count = (taken.get(budget) ?? 0) + 1;
        taken.set(budget, count);
        if (count > budget.allowed) violators.add(pod);
      }
    }
    return violators;
  }
}
