/** How much of a device's capacity a request may take. https://kep.k8s.io/5075 */
import { type DeepReadonly, type FieldPath, parseQuantity, type Quantity } from '@periplus/apimachinery';
import type { ICapacityRequestPolicy } from 'kubernetes-models/resource.k8s.io/v1/CapacityRequestPolicy';
import type { ICapacityRequestPolicyRange } from 'kubernetes-models/resource.k8s.io/v1/CapacityRequestPolicyRange';
import type { Errors } from '../field-rules.ts';
import { checkUniqueList } from './bounded-lists.ts';
import { VALID_VALUES_MAX } from './limits.ts';

function checkValues(
  errors: Errors,
  at: FieldPath,
  values: readonly Quantity[],
  preset: Quantity,
  capacity: Quantity,
): void {
  values.forEach((value, i) => {
    if (i > 0 && values[i - 1]!.compare(value) > 0) {
      const detail = 'values must be sorted in ascending order';
      errors.push(at.index('validValues', i).invalid(value.toString(), detail));
    }
  });
  const inUnits = (value: Quantity): string => String(value.value());
  checkUniqueList(errors, at, 'validValues', values, VALID_VALUES_MAX, inUnits, (_, place, value) => {
    if (value.compare(capacity) <= 0) return;
    errors.push(place.invalid(value.toString(), `option is larger than capacity value: ${capacity}`));
  });
  if (!values.some((value) => value.compare(preset) === 0)) {
    const detail = 'default value is not valid according to the requestPolicy';
    errors.push(at.child('validValues').invalid(preset.toString(), detail));
  }
}

function checkStep(errors: Errors, at: FieldPath, value: Quantity, min: Quantity, step: Quantity): void {
  const size = step.value();
  if (size !== 0 && (value.value() - min.value()) % size === 0) return;
  errors.push(at.invalid(value.toString(), `value is not a multiple of a given step (${step}) from (${min})`));
}

function checkRange(
  errors: Errors,
  at: FieldPath,
  range: DeepReadonly<ICapacityRequestPolicyRange>,
  preset: Quantity,
  capacity: Quantity,
): void {
  if (range.min === undefined) {
    errors.push(at.child('min').required('required when validRange is defined'));
    return;
  }
  const refuse = (field: string, value: Quantity, detail: string): void => {
    errors.push(at.child(field).invalid(value.toString(), detail));
  };
  const min = parseQuantity(range.min);
  const max = range.max === undefined ? null : parseQuantity(range.max);
  if (min.compare(capacity) > 0) refuse('min', min, `min is larger than capacity value: ${capacity}`);
  if (preset.compare(min) < 0) refuse('min', preset, `default is less than min: ${min}`);
  if (max) {
    if (min.compare(max) > 0) refuse('max', min, `min is larger than max: ${max}`);
    if (max.compare(capacity) > 0) refuse('max', max, `max is larger than capacity value: ${capacity}`);
    if (preset.compare(max) > 0) refuse('max', preset, `default is more than max: ${max}`);
  }
  if (range.step === undefined) return;
  const step = parseQuantity(range.step);
  const oneStep = min.add(step);
  if (oneStep.compare(capacity) > 0) {
    refuse('step', step, `one step ${oneStep} is larger than capacity value: ${capacity}`);
  }
  for (const value of max ? [preset, max] : [preset]) checkStep(errors, at.child('step'), value, min, step);
}

export function checkRequestPolicy(
  errors: Errors,
  at: FieldPath,
  policy: DeepReadonly<ICapacityRequestPolicy>,
  capacity: Quantity,
): void {
  const { validValues = [], validRange } = policy;
  if (validValues.length > 0 && validRange) {
    const detail =
      'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time';
    errors.push(at.forbidden(detail));
    return;
  }
  const kind = validValues.length > 0 ? 'validValues' : validRange ? 'validRange' : null;
  if (kind === null) return;
  // Absent defaults are written as null.
  if (policy.default === undefined || policy.default === null) {
    errors.push(at.child('default').required(`required when ${kind} is defined`));
    return;
  }
  const preset = parseQuantity(policy.default);
  if (validRange) checkRange(errors, at.child('validRange'), validRange, preset, capacity);
  else checkValues(errors, at, validValues.map(parseQuantity), preset, capacity);
}
