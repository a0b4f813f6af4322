/** What a claim was given: all of it comes at once, and does not change until it is given back. */
import type { DeepReadonly, FieldPath } from '@periplus/apimachinery';
import type { IAllocationResult } from 'kubernetes-models/resource.k8s.io/v1/AllocationResult';
import type { IDeviceRequestAllocationResult } from 'kubernetes-models/resource.k8s.io/v1/DeviceRequestAllocationResult';
import { checkOneOf, type Errors } from '../field-rules.ts';
import { checkNodeSelector } from '../pod-spec/affinity.ts';
import { checkBindingConditions } from './binding-conditions.ts';
import { checkList } from './bounded-lists.ts';
import { checkRequestReference, checkRequestReferences, type RequestNames } from './claim-requests.ts';
import { checkDevice, checkShareId } from './device-names.ts';
import { ALLOCATED_CONFIGS_MAX, RESULTS_MAX } from './limits.ts';
import { checkConfiguration } from './opaque.ts';
import { checkToleration } from './taints.ts';

const SOURCES = ['FromClaim', 'FromClass'];

type Result = DeepReadonly<IDeviceRequestAllocationResult>;

/** Names one share of one device. */
export const deviceIdOf = ({
  driver,
  pool,
  device,
  shareID,
}: Pick<Result, 'driver' | 'pool' | 'device' | 'shareID'>): string =>
  [driver, pool, device, ...(shareID ? [shareID] : [])].join('/');

function checkResult(errors: Errors, at: FieldPath, result: Result, known: RequestNames): void {
  checkRequestReference(errors, at.child('request'), result.request, known);
  checkDevice(errors, at, result);
  checkBindingConditions(errors, at, result);
  result.tolerations?.forEach((toleration, i) => {
    checkToleration(errors, at.index('tolerations', i), toleration);
  });
  checkShareId(errors, at.child('shareID'), result.shareID);
}

export function checkAllocation(
  errors: Errors,
  at: FieldPath,
  { devices, nodeSelector }: DeepReadonly<IAllocationResult>,
  known: RequestNames,
): void {
  const place = at.child('devices');
  checkList(errors, place, 'results', devices?.results, RESULTS_MAX, (_, item, result) => {
    checkResult(errors, item, result, known);
  });
  checkList(errors, place, 'config', devices?.config, ALLOCATED_CONFIGS_MAX, (_, item, configuration) => {
    checkOneOf(errors, item, 'source', configuration.source, SOURCES);
    checkRequestReferences(errors, item, configuration.requests, known);
    checkConfiguration(errors, item, configuration);
  });
  if (nodeSelector) checkNodeSelector(errors, at.child('nodeSelector'), nodeSelector);
}
