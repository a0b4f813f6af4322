/** One device of a ResourceSlice. */
import {
  type DeepReadonly,
  dns1123Label,
  dns1123Subdomain,
  type FieldPath,
  parseQuantity,
} from '@periplus/apimachinery';
import type { ICounterSet } from 'kubernetes-models/resource.k8s.io/v1/CounterSet';
import type { IDevice } from 'kubernetes-models/resource.k8s.io/v1/Device';
import type { IDeviceAttribute } from 'kubernetes-models/resource.k8s.io/v1/DeviceAttribute';
import type { IDeviceCapacity } from 'kubernetes-models/resource.k8s.io/v1/DeviceCapacity';
import { checkRequiredText, type Errors } from '../field-rules.ts';
import { checkNodeSelector } from '../pod-spec/affinity.ts';
import { checkBindingConditions } from './binding-conditions.ts';
import { checkList, checkUniqueList } from './bounded-lists.ts';
import { checkName, checkQualifiedName } from './device-names.ts';
import {
  CONSUMED_COUNTER_SETS_MAX,
  COUNTERS_MAX,
  DEVICE_PROPERTIES_MAX,
  DOMAIN_LENGTH_MAX,
  IDENTIFIER_LENGTH_MAX,
  TAINTS_MAX,
  TEXT_LENGTH_MAX,
} from './limits.ts';
import { checkRequestPolicy } from './request-policy.ts';
import { checkTaint } from './taints.ts';

type Device = DeepReadonly<IDevice>;

const NAME_LENGTH_MAX = DOMAIN_LENGTH_MAX + 1 + IDENTIFIER_LENGTH_MAX;
const ELLIPSIS = '...';
/** https://semver.org/#is-there-a-suggested-regular-expression-regex-to-check-a-semver-string */
const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/;

/** A name that is far too long, as an error shows it. */
function shortened(name: string): string {
  if (name.length <= NAME_LENGTH_MAX) return name;
  const left = NAME_LENGTH_MAX - ELLIPSIS.length;
  return `${name.slice(0, Math.ceil(left / 2))}${ELLIPSIS}${name.slice(name.length - Math.floor(left / 2))}`;
}

function checkAttribute(errors: Errors, at: FieldPath, attribute: DeepReadonly<IDeviceAttribute>): void {
  const { string, version } = attribute;
  if (string !== undefined && string.length > TEXT_LENGTH_MAX) errors.push(at.child('string').tooLong(TEXT_LENGTH_MAX));
  if (version !== undefined) {
    if (!SEMVER.test(version)) {
      const detail = 'must be a string compatible with semver.org spec 2.0.0';
      errors.push(at.child('version').invalid(version, detail));
    }
    if (version.length > TEXT_LENGTH_MAX) errors.push(at.child('version').tooLong(TEXT_LENGTH_MAX));
  }
  const count = Object.keys(attribute).length;
  if (count !== 1) errors.push(at.invalid(count === 0 ? '' : attribute, 'exactly one value must be specified'));
}

function checkCapacity(
  errors: Errors,
  at: FieldPath,
  capacity: DeepReadonly<IDeviceCapacity>,
  isShared: boolean,
): void {
  const { value, requestPolicy } = capacity;
  if (!requestPolicy) return;
  const place = at.child('requestPolicy');
  if (isShared) checkRequestPolicy(errors, place, requestPolicy, parseQuantity(value));
  else errors.push(place.forbidden('allowMultipleAllocations must be true'));
}

function checkProperties(errors: Errors, at: FieldPath, device: Device): void {
  const { attributes = {}, capacity = {}, allowMultipleAllocations = false } = device;
  const count = Object.keys(attributes).length + Object.keys(capacity).length;
  if (count > DEVICE_PROPERTIES_MAX) {
    const detail = `the total number of attributes and capacities must not exceed ${DEVICE_PROPERTIES_MAX}`;
    errors.push(at.invalid(count, detail));
  }
  for (const [name, attribute] of Object.entries(attributes)) {
    checkQualifiedName(errors, at.child('attributes'), name);
    checkAttribute(errors, at.key('attributes', shortened(name)), attribute);
  }
  for (const [name, amount] of Object.entries(capacity)) {
    checkQualifiedName(errors, at.child('capacity'), name);
    checkCapacity(errors, at.key('capacity', shortened(name)), amount, allowMultipleAllocations);
  }
}

function checkCounters(errors: Errors, at: FieldPath, counters: DeepReadonly<ICounterSet>['counters'] = {}): void {
  const names = Object.keys(counters);
  if (names.length === 0) errors.push(at.required());
  else if (names.length > COUNTERS_MAX) errors.push(at.tooMany(names.length, COUNTERS_MAX));
  else for (const name of names) checkName(errors, at, name, dns1123Label);
}

export function checkCounterSet(errors: Errors, at: FieldPath, { name, counters }: DeepReadonly<ICounterSet>): void {
  checkRequiredText(errors, at, 'name', name, dns1123Label);
  checkCounters(errors, at.child('counters'), counters);
}

const WHERE =
  'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec';
const NOWHERE =
  '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec';

/** Which nodes have the device: it says so when its slice leaves it to the devices, and only then. */
function checkNodes(errors: Errors, at: FieldPath, device: Device, isPerDevice: boolean): void {
  const { nodeName, nodeSelector, allNodes } = device;
  if (!isPerDevice) {
    if (nodeName !== undefined || nodeSelector || allNodes !== undefined) errors.push(at.invalid(null, NOWHERE));
    return;
  }
  if (nodeName === '') errors.push(at.child('nodeName').invalid('', 'must not be empty'));
  else if (nodeName) checkName(errors, at.child('nodeName'), nodeName, dns1123Subdomain);
  if (nodeSelector) checkNodeSelector(errors, at.child('nodeSelector'), nodeSelector);
  if (allNodes === false) errors.push(at.child('allNodes').invalid(false, 'must be either unset or set to true'));
  const set = Object.entries({ nodeName, nodeSelector, allNodes }).filter(([, value]) => value);
  if (set.length === 0) errors.push(at.required(WHERE));
  if (set.length > 1) errors.push(at.invalid(`{${set.map(([field]) => `\`${field}\``).join(', ')}}`, WHERE));
}

/** `isPerDevice`: whether the slice leaves it to its devices to say which nodes have them. */
export function checkSliceDevice(errors: Errors, at: FieldPath, device: Device, isPerDevice: boolean): void {
  checkName(errors, at.child('name'), device.name, dns1123Label);
  checkProperties(errors, at, device);
  checkList(errors, at, 'taints', device.taints, TAINTS_MAX, checkTaint);
  const consumed = device.consumesCounters;
  const setOf = ({ counterSet }: NonNullable<typeof consumed>[number]): string => counterSet;
  checkUniqueList(errors, at, 'consumesCounters', consumed, CONSUMED_COUNTER_SETS_MAX, setOf, (_, place, item) => {
    checkRequiredText(errors, place, 'counterSet', item.counterSet, dns1123Label);
    checkCounters(errors, place.child('counters'), item.counters);
  });
  checkNodes(errors, at, device, isPerDevice);
  checkBindingConditions(errors, at, device);
}
