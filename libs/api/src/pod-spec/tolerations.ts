/** Taints of nodes and the tolerations of pods. https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/ */
import { type DeepReadonly, type FieldPath, labelValue, qualifiedName } from '@periplus/apimachinery';
import type { ITaint } from 'kubernetes-models/v1/Taint';
import type { IToleration } from 'kubernetes-models/v1/Toleration';
import { checkOneOf, checkText, type Errors } from '../field-rules.ts';

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];
const OPERATORS = ['Equal', 'Exists'];

export function checkTolerations(
  errors: Errors,
  at: FieldPath,
  tolerations: readonly DeepReadonly<IToleration>[] | undefined,
): void {
  tolerations?.forEach(({ key, operator, value, effect, tolerationSeconds }, i) => {
    const place = at.index('tolerations', i);
    checkText(errors, place, 'key', key, qualifiedName);
    if (!key && operator !== 'Exists') {
      const detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      errors.push(place.child('operator').invalid(operator ?? '', detail));
    }
    if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
      const detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
      errors.push(place.child('effect').invalid(effect ?? '', detail));
    }
    if (operator === 'Exists') {
      if (value) {
        errors.push(place.child('operator').invalid(value, "value must be empty when `operator` is 'Exists'"));
      }
    } else if (!operator || operator === 'Equal') {
      const problems = labelValue(value ?? '');
      if (problems.length > 0) errors.push(place.child('operator').invalid(value, problems.join(';')));
    } else errors.push(place.child('operator').notSupported(operator, OPERATORS));
    if (effect) checkOneOf(errors, place, 'effect', effect, EFFECTS);
  });
}

/** Kubernetes reports the taints of a node below its metadata. */
export function checkTaints(errors: Errors, at: FieldPath, taints: readonly DeepReadonly<ITaint>[] | undefined): void {
  const seen = new Set<string>();
  taints?.forEach((taint, i) => {
    const place = at.index('taints', i);
    for (const problem of qualifiedName(taint.key)) errors.push(place.child('key').invalid(taint.key, problem));
    const problems = labelValue(taint.value ?? '');
    if (problems.length > 0) errors.push(place.child('value').invalid(taint.value, problems.join(';')));
    checkOneOf(errors, place, 'effect', taint.effect, EFFECTS);
    const id = `${taint.key}:${taint.effect}`;
    if (seen.has(id)) {
      const duplicate = place.duplicate(taint);
      errors.push({ ...duplicate, message: `${duplicate.message}: taints must be unique by key and effect pair` });
    }
    seen.add(id);
  });
}
