/** https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#device-taints-and-tolerations */
import { type DeepReadonly, type FieldPath, labelValue, qualifiedName } from '@periplus/apimachinery';
import type { IDeviceTaint } from 'kubernetes-models/resource.k8s.io/v1/DeviceTaint';
import type { IDeviceToleration } from 'kubernetes-models/resource.k8s.io/v1/DeviceToleration';
import { checkOneOf, checkText, type Errors } from '../field-rules.ts';
import { checkName } from './device-names.ts';

const EFFECTS = ['NoExecute', 'NoSchedule', 'None'];
const OPERATORS = ['Equal', 'Exists'];

export function checkTaint(errors: Errors, at: FieldPath, { key, value, effect }: DeepReadonly<IDeviceTaint>): void {
  checkName(errors, at.child('key'), key, qualifiedName);
  checkText(errors, at, 'value', value, labelValue);
  checkOneOf(errors, at, 'effect', effect, EFFECTS);
}

export function checkToleration(errors: Errors, at: FieldPath, toleration: DeepReadonly<IDeviceToleration>): void {
  const { key, operator, value = '', effect } = toleration;
  checkText(errors, at, 'key', key, qualifiedName);
  if (operator === 'Exists' && value !== '') {
    errors.push(at.child('value').invalid(value, 'must be empty for operator `Exists`'));
  }
  if (operator === 'Equal') checkText(errors, at, 'value', value, labelValue);
  checkOneOf(errors, at, 'operator', operator, OPERATORS);
  if (effect) checkOneOf(errors, at, 'effect', effect, EFFECTS);
}
