/** What a driver says of a device that it has prepared. */
import { isIP, isIPv6 } from 'node:net';
import type { DeepReadonly, FieldPath } from '@periplus/apimachinery';
import type { IAllocatedDeviceStatus } from 'kubernetes-models/resource.k8s.io/v1/AllocatedDeviceStatus';
import type { INetworkDeviceData } from 'kubernetes-models/resource.k8s.io/v1/NetworkDeviceData';
import { canonicalText } from '../addresses.ts';
import { checkConditions } from '../conditions.ts';
import type { Errors } from '../field-rules.ts';
import { deviceIdOf } from './allocation.ts';
import { checkUniqueList, itself } from './bounded-lists.ts';
import { checkDevice, checkShareId } from './device-names.ts';
import {
  ADDRESSES_MAX,
  DEVICE_CONDITIONS_MAX,
  HARDWARE_ADDRESS_LENGTH_MAX,
  INTERFACE_NAME_LENGTH_MAX,
} from './limits.ts';
import { checkOpaque } from './opaque.ts';

/** The address of an interface with the size of its network, written in the one way that is right. */
function checkInterfaceAddress(errors: Errors, at: FieldPath, text: string): void {
  const [address = '', bits = '', more] = text.split('/');
  const bitsMax = isIPv6(address) ? 128 : 32;
  if (isIP(address) === 0 || more !== undefined || !/^\d{1,3}$/.test(bits) || Number(bits) > bitsMax) {
    errors.push(at.invalid(text, 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)'));
    return;
  }
  const canonical = `${canonicalText(address)}/${Number(bits)}`;
  if (text !== canonical) errors.push(at.invalid(text, `must be in canonical form ("${canonical}")`));
}

function checkNetworkData(errors: Errors, at: FieldPath, data: DeepReadonly<INetworkDeviceData>): void {
  const { interfaceName = '', hardwareAddress = '', ips } = data;
  if (interfaceName.length > INTERFACE_NAME_LENGTH_MAX) {
    errors.push(at.child('interfaceName').tooLong(INTERFACE_NAME_LENGTH_MAX));
  }
  if (hardwareAddress.length > HARDWARE_ADDRESS_LENGTH_MAX) {
    errors.push(at.child('hardwareAddress').tooLong(HARDWARE_ADDRESS_LENGTH_MAX));
  }
  checkUniqueList(errors, at, 'ips', ips, ADDRESSES_MAX, itself, checkInterfaceAddress);
}

/** `allocated` are the devices of the claim, as `deviceIdOf` names them. */
export function checkDeviceStatus(
  errors: Errors,
  at: FieldPath,
  status: DeepReadonly<IAllocatedDeviceStatus>,
  allocated: ReadonlySet<string>,
): void {
  checkDevice(errors, at, status);
  checkShareId(errors, at.child('shareID'), status.shareID);
  const id = deviceIdOf(status);
  if (!allocated.has(id)) errors.push(at.wrong(`${id}: must be an allocated device in the claim`));
  const conditions = status.conditions ?? [];
  if (conditions.length > DEVICE_CONDITIONS_MAX) {
    errors.push(at.child('conditions').tooMany(conditions.length, DEVICE_CONDITIONS_MAX));
  }
  checkConditions(errors, at.child('conditions'), conditions);
  if (status.data !== undefined) checkOpaque(errors, at.child('data'), status.data);
  if (status.networkData) checkNetworkData(errors, at.child('networkData'), status.networkData);
}
