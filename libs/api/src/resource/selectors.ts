import type { DeepReadonly, FieldPath } from '@periplus/apimachinery';
import type { IDeviceSelector } from 'kubernetes-models/resource.k8s.io/v1/DeviceSelector';
import type { Errors } from '../field-rules.ts';
import { checkList } from './bounded-lists.ts';
import { CompileError, compileSelectorExpression } from './device-selector.ts';
import {
  EXPRESSION_BYTES_MAX,
  EXPRESSION_COST_MAX,
  EXPRESSIONS_BYTES_MAX,
  EXPRESSIONS_MAX,
  SELECTORS_MAX,
} from './limits.ts';

function checkExpression(errors: Errors, at: FieldPath, expression: string): void {
  if (Buffer.byteLength(expression) > EXPRESSION_BYTES_MAX) {
    errors.push(at.tooLong(EXPRESSION_BYTES_MAX));
    return;
  }
  try {
    const { costMax } = compileSelectorExpression(expression);
    if (costMax > EXPRESSION_COST_MAX) errors.push(at.forbidden('too complex, exceeds cost limit'));
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    errors.push(at.invalid(expression, error.message));
  }
}

/** The `selectors` below `at`. */
export function checkSelectors(
  errors: Errors,
  at: FieldPath,
  selectors: readonly DeepReadonly<IDeviceSelector>[] | undefined,
): void {
  checkList(errors, at, 'selectors', selectors, SELECTORS_MAX, (_, place, { cel }) => {
    if (cel) checkExpression(errors, place.child('cel', 'expression'), cel.expression);
    else errors.push(place.child('cel').required());
  });
}

interface Selecting {
  readonly selectors?: readonly DeepReadonly<IDeviceSelector>[];
}

/** Whether the selectors of all `parts` of an object take too long to check; says so of the object's part at `at`. */
export function areTooMany(errors: Errors, at: FieldPath, parts: readonly Selecting[]): boolean {
  const expressions = parts.flatMap(({ selectors = [] }) => selectors.map(({ cel }) => cel?.expression ?? ''));
  const bytes = expressions.reduce((sum, expression) => sum + Buffer.byteLength(expression), 0);
  if (expressions.length <= EXPRESSIONS_MAX && bytes <= EXPRESSIONS_BYTES_MAX) return false;
  const detail = `the selectors may be at most ${EXPRESSIONS_MAX}, and have at most ${EXPRESSIONS_BYTES_MAX} bytes together`;
  errors.push(at.forbidden(detail));
  return true;
}
