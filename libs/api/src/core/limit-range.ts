import { type DeepReadonly, type FieldPath, parseQuantity, type Quantity, qualifiedName } from '@periplus/apimachinery';
import type { ILimitRange } from 'kubernetes-models/v1/LimitRange';
import type { ILimitRangeItem } from 'kubernetes-models/v1/LimitRangeItem';
import { defaultColumns } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Errors } from '../field-rules.ts';
import { checkContainerResourceName, checkResourceName, mayOvercommit } from '../resource-names.ts';
import type { Stored } from '../stored.ts';

export type LimitRange = Stored<ILimitRange, 'spec'>;

type Item = DeepReadonly<ILimitRangeItem>;

const TYPES = ['Pod', 'Container', 'PersistentVolumeClaim'];
const ONE = parseQuantity('1');
const BOUNDS = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const;
type Bound = (typeof BOUNDS)[number];

function checkType(errors: Errors, at: FieldPath, type: string): void {
  for (const problem of qualifiedName(type)) errors.push(at.child('type').invalid(type, problem));
  if (!type.includes('/') && !TYPES.includes(type)) {
    errors.push(at.child('type').invalid(type, 'must be a standard limit type or fully qualified'));
  }
}

function checkNames(errors: Errors, at: FieldPath, item: Item): void {
  const checkName = item.type === 'Pod' || item.type === 'Container' ? checkContainerResourceName : checkResourceName;
  for (const bound of BOUNDS) {
    const quantities = item[bound] ?? {};
    if (item.type === 'Pod' && (bound === 'default' || bound === 'defaultRequest')) {
      if (Object.keys(quantities).length > 0) {
        errors.push(at.child(bound).forbidden("may not be specified when `type` is 'Pod'"));
      }
      continue;
    }
    for (const name in quantities) checkName(errors, at.key(bound, name), name);
  }
  if (item.type === 'PersistentVolumeClaim' && !item.min?.storage && !item.max?.storage) {
    const detail = 'either minimum or maximum storage value is required, but neither was provided';
    errors.push(at.child('limits').required(detail));
  }
}

/** The bounds of one resource must leave room for each other. */
function checkOrder(errors: Errors, at: FieldPath, name: string, item: Item): void {
  const of = (bound: Bound): Quantity | undefined => {
    const quantities = item[bound];
    return quantities && Object.hasOwn(quantities, name) ? parseQuantity(quantities[name]!) : undefined;
  };
  const [min, max, limit, request, ratio] = [
    of('min'),
    of('max'),
    of('default'),
    of('defaultRequest'),
    of('maxLimitRequestRatio'),
  ];
  const refuse = (bound: Bound, shown: Quantity, detail: string): void => {
    errors.push(at.key(bound, name).invalid(shown, detail));
  };
  const exceeds = (one?: Quantity, other?: Quantity): boolean => !!one && !!other && one.compare(other) > 0;
  if (exceeds(min, max)) refuse('min', min!, `min value ${min} is greater than max value ${max}`);
  if (exceeds(min, request)) {
    refuse('defaultRequest', request!, `min value ${min} is greater than default request value ${request}`);
  }
  if (exceeds(request, max)) {
    refuse('defaultRequest', request!, `default request value ${request} is greater than max value ${max}`);
  }
  if (exceeds(request, limit)) {
    refuse('defaultRequest', request!, `default request value ${request} is greater than default limit value ${limit}`);
  }
  if (exceeds(min, limit)) refuse('default', min!, `min value ${min} is greater than default value ${limit}`);
  if (exceeds(limit, max)) refuse('default', max!, `default value ${limit} is greater than max value ${max}`);
  if (exceeds(ONE, ratio)) refuse('maxLimitRequestRatio', ratio!, `ratio ${ratio} is less than 1`);
  if (ratio && min && max) {
    const most = Number(max.nano) / Number(min.nano);
    if (Number(ratio.nano) / Number(ONE.nano) > most) {
      refuse('maxLimitRequestRatio', ratio, `ratio ${ratio} is greater than max/min = ${most.toFixed(6)}`);
    }
  }
  if (!mayOvercommit(name) && limit && request && limit.compare(request) !== 0) {
    const detail = `default value ${limit} must equal to defaultRequest value ${request} in ${name}`;
    refuse('defaultRequest', request, detail);
  }
}

function check(errors: Errors, at: FieldPath, { spec }: DeepReadonly<LimitRange>): void {
  const seen = new Set<string>();
  spec.limits?.forEach((item, i) => {
    const place = at.child('spec').index('limits', i);
    checkType(errors, place, item.type);
    if (seen.has(item.type)) errors.push(place.child('type').duplicate(item.type));
    seen.add(item.type);
    checkNames(errors, place, item);
    const names = new Set(BOUNDS.flatMap((bound) => Object.keys(item[bound] ?? {})));
    for (const name of [...names].sort()) checkOrder(errors, place, name, item);
  });
}

/** A limit that is not given is the most that may be; a request that is not given is the limit, or else the least. */
function setItemDefaults(item: ILimitRangeItem): void {
  if (item.type !== 'Container') return;
  item.default = { ...item.max, ...item.default };
  item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest };
  if (Object.keys(item.default).length === 0) delete item.default;
  if (Object.keys(item.defaultRequest).length === 0) delete item.defaultRequest;
}

/** https://kubernetes.io/docs/concepts/policy/limit-range/ */
export const limitRange = defineKind<LimitRange>({
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  shortNames: ['limits'],
  namespaced: true,
  createdByUpdate: true,
  columns: defaultColumns,
  check,
  setDefaults(limitRange) {
    limitRange.spec ??= { limits: null as never };
    limitRange.spec.limits?.forEach(setItemDefaults);
  },
});
