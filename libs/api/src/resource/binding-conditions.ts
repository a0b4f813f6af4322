import { type DeepReadonly, type FieldPath, qualifiedName } from '@periplus/apimachinery';
import type { IDevice } from 'kubernetes-models/resource.k8s.io/v1/Device';
import type { Errors } from '../field-rules.ts';
import { checkList } from './bounded-lists.ts';
import { checkName } from './device-names.ts';
import { BINDING_CONDITIONS_MAX } from './limits.ts';

type Conditions = Pick<DeepReadonly<IDevice>, 'bindingConditions' | 'bindingFailureConditions'>;

/** What a device needs before a pod is bound that uses it: both of the lists or none. https://kep.k8s.io/5007 */
export function checkBindingConditions(errors: Errors, at: FieldPath, conditions: Conditions): void {
  for (const field of ['bindingConditions', 'bindingFailureConditions'] as const) {
    checkList(errors, at, field, conditions[field], BINDING_CONDITIONS_MAX, (_, place, condition) => {
      checkName(errors, place, condition, qualifiedName);
    });
  }
  const { bindingConditions: wanted = [], bindingFailureConditions: feared = [] } = conditions;
  for (const [field, list] of Object.entries({ bindingConditions: wanted, bindingFailureConditions: feared })) {
    if (list.length > BINDING_CONDITIONS_MAX) continue;
    list.forEach((condition, i) => {
      if (list.indexOf(condition) < i) errors.push(at.index(field, i).duplicate(condition));
      if (list === feared && wanted.includes(condition)) {
        const detail = 'bindingFailureConditions must not overlap with bindingConditions';
        errors.push(at.index(field, i).invalid(condition, detail));
      }
    });
  }
  if (wanted.length === 0 && feared.length > 0) {
    const detail = 'bindingConditions are required to use bindingFailureConditions';
    errors.push(at.child('bindingConditions').invalid(wanted, detail));
  }
  if (feared.length === 0 && wanted.length > 0) {
    const detail = 'bindingFailureConditions are required to use bindingConditions';
    errors.push(at.child('bindingFailureConditions').invalid(feared, detail));
  }
}
