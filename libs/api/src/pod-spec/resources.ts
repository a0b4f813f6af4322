/** Requests and limits. https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/ */
import { type DeepReadonly, type FieldPath, parseQuantity } from '@periplus/apimachinery';
import type { IResourceRequirements } from 'kubernetes-models/v1/ResourceRequirements';
import { checkNonNegativeQuantity, type Errors } from '../field-rules.ts';
import { checkContainerResourceName, HUGE_PAGES, isCounted, mayOvercommit } from '../resource-names.ts';
import { checkClaimReferences } from './claim-references.ts';

type Quantities = DeepReadonly<Record<string, string | number>>;

/** Quantities of nodes and containers: not negative, whole where parts make no sense. */
export function checkQuantityOf(errors: Errors, at: FieldPath, name: string, quantity: string | number): void {
  checkNonNegativeQuantity(errors, at, quantity);
  if (!isCounted(name)) return;
  const amount = parseQuantity(quantity);
  if (amount.milliValue() % 1000 !== 0) errors.push(at.invalid(amount.toString(), 'must be an integer'));
}

function checkHugePages(errors: Errors, at: FieldPath, name: string, quantity: string | number): void {
  const amount = parseQuantity(quantity);
  const size = parseQuantity(name.slice(HUGE_PAGES.length)).value();
  if (size <= 0 || amount.value() % size !== 0) {
    errors.push(at.invalid(amount.toString(), `${amount} is not positive integer multiple of ${name}`));
  }
}

function checkQuantities(errors: Errors, at: FieldPath, list: string, quantities: Quantities | undefined): void {
  for (const name in quantities) {
    const quantity = quantities[name] as string | number;
    if (name === 'cpu' || name === 'memory') {
      const amount = parseQuantity(quantity);
      if (amount.value() < 0) checkNonNegativeQuantity(errors, at.key(list, name), quantity);
      continue;
    }
    const place = at.key(list, name);
    checkContainerResourceName(errors, place, name);
    checkQuantityOf(errors, place, name, quantity);
    if (name.startsWith(HUGE_PAGES)) checkHugePages(errors, place, name, quantity);
  }
}

function checkRequestsAgainstLimits(errors: Errors, at: FieldPath, requests: Quantities, limits: Quantities): void {
  for (const name in requests) {
    // A resource may be called constructor.
    const limit = Object.hasOwn(limits, name) ? limits[name] : undefined;
    if (limit === undefined) {
      if (!mayOvercommit(name)) {
        errors.push(at.child('limits').required('Limit must be set for non overcommitable resources'));
      }
      continue;
    }
    const request = requests[name] as string | number;
    if (request === limit) continue;
    const order = parseQuantity(request).compare(parseQuantity(limit));
    if (order !== 0 && !mayOvercommit(name)) {
      const detail = `must be equal to ${name} limit of ${parseQuantity(limit)}`;
      errors.push(at.child('requests').invalid(parseQuantity(request).toString(), detail));
    } else if (order > 0) {
      const detail = `must be less than or equal to ${name} limit of ${parseQuantity(limit)}`;
      errors.push(at.child('requests').invalid(parseQuantity(request).toString(), detail));
    }
  }
}

const NOTHING: Quantities = {};

/** `claimNames` are the names of the pod's resource claims. */
export function checkResources(
  errors: Errors,
  at: FieldPath,
  resources: DeepReadonly<IResourceRequirements> | undefined,
  claimNames: readonly string[],
): void {
  if (!resources) return;
  const { requests = NOTHING, limits = NOTHING, claims } = resources;
  checkQuantities(errors, at, 'limits', limits);
  checkQuantities(errors, at, 'requests', requests);
  checkRequestsAgainstLimits(errors, at, requests, limits);
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some((name) => name.startsWith(HUGE_PAGES)) && !names.includes('cpu') && !names.includes('memory')) {
    errors.push(at.forbidden('HugePages require cpu or memory'));
  }
  checkClaimReferences(errors, at, claims, claimNames);
}
