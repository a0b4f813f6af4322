import type { DeepReadonly, FieldPath } from '@periplus/apimachinery';
import type { Errors } from '../field-rules.ts';

interface WithConditions {
  status?: { conditions?: { type?: string }[] };
}

/** What may be wrong with the status of a FlowSchema or PriorityLevelConfiguration. */
export function checkConditions(errors: Errors, root: FieldPath, { status }: DeepReadonly<WithConditions>): void {
  const seen = new Set<string>();
  status?.conditions?.forEach(({ type = '' }, i) => {
    const place = root.child('status').index('conditions', i).child('type');
    if (seen.has(type)) errors.push(place.duplicate(type));
    seen.add(type);
    if (type === '') errors.push(place.required('must not be empty'));
  });
}
