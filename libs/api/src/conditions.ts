import { type FieldPath, qualifiedName } from '@periplus/apimachinery';
import type { Errors } from './field-rules.ts';

const STATUSES = ['False', 'True', 'Unknown'];
const REASON = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?';
const reasonPattern = new RegExp(`^${REASON}$`);
const REASON_PROBLEM = `a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '${REASON}')`;
const REASON_BYTES_MAX = 1024;
const MESSAGE_BYTES_MAX = 32 * 1024;

interface ConditionFields {
  readonly type: string;
  readonly status: string;
  readonly observedGeneration?: number;
  readonly lastTransitionTime?: string;
  readonly reason?: string;
  readonly message?: string;
}

/** Conditions of the common type, which kinds that are younger have. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/condition/ */
export function checkConditions(errors: Errors, at: FieldPath, conditions: readonly ConditionFields[] = []): void {
  const seen = new Set<string>();
  conditions.forEach(({ type, status, observedGeneration = 0, lastTransitionTime, reason, message = '' }, i) => {
    const place = at.item(i);
    if (seen.has(type)) errors.push(place.child('type').duplicate(type));
    seen.add(type);
    for (const problem of qualifiedName(type)) errors.push(place.child('type').invalid(type, problem));
    if (!STATUSES.includes(status)) errors.push(place.child('status').notSupported(status, STATUSES));
    if (observedGeneration < 0) {
      const detail = 'must be greater than or equal to zero';
      errors.push(place.child('observedGeneration').invalid(observedGeneration, detail));
    }
    if (!lastTransitionTime) errors.push(place.child('lastTransitionTime').required('must be set'));
    if (!reason) errors.push(place.child('reason').required('must be set'));
    else {
      if (!reasonPattern.test(reason)) errors.push(place.child('reason').invalid(reason, REASON_PROBLEM));
      if (reason.length > REASON_BYTES_MAX) errors.push(place.child('reason').tooLong(REASON_BYTES_MAX));
    }
    if (message.length > MESSAGE_BYTES_MAX) errors.push(place.child('message').tooLong(MESSAGE_BYTES_MAX));
  });
}
