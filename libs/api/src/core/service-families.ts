/**
 * Cluster IPs and address families of a Service, in a cluster that has one family, IPv4.
 * https://kubernetes.io/docs/concepts/services-networking/dual-stack/
 */
import { isIPv6 } from 'node:net';
import { type DeepReadonly, type FieldPath, ipAddress } from '@periplus/apimachinery';
import { sameValue } from '../equality.ts';
import { checkOptionalOneOf, type Errors, unlessKept } from '../field-rules.ts';
import { isHeadless } from './service-linked-fields.ts';
import type { Service } from './service-type.ts';

type Spec = Service['spec'];
type ReadSpec = DeepReadonly<Spec>;

const FAMILIES = ['IPv4', 'IPv6'];
const POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
const ADDRESSES_MAX = 2;

const familyOf = (address: string): string => (isIPv6(address) ? 'IPv6' : 'IPv4');
/** Whether it has no addresses and no endpoints but those that somebody writes: of both families, in any cluster. */
const isFree = (spec: ReadSpec): boolean => isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0;

/** What is not said follows from what is, or was: the policy from the old one, families from addresses. */
export function setAddressFamilies(spec: Spec, old?: ReadSpec): void {
  if (spec.type === 'ExternalName') return;
  spec.ipFamilyPolicy ??= old?.ipFamilyPolicy ?? (isFree(spec) ? 'RequireDualStack' : 'SingleStack');
  const isSingle = spec.ipFamilyPolicy === 'SingleStack';
  let families = spec.ipFamilies ?? [];
  // Who asks for one family only, and leaves the rest as it was, means the first.
  if (isSingle && old && sameValue(families, old.ipFamilies)) families = families.slice(0, 1);
  if (families.length === 0 && !familyNotConfigured(spec)) families = ['IPv4'];
  if (isFree(spec) && families.length === 1 && !isSingle) {
    families = [...families, families[0] === 'IPv4' ? 'IPv6' : 'IPv4'];
  }
  if (families.length > 0) spec.ipFamilies = families;
}

/** The place of an address of a family that nobody has said and the cluster has not. */
function familyNotConfigured({ clusterIPs = [], ipFamilies = [] }: ReadSpec): { at: number } | undefined {
  const at = clusterIPs.findIndex((address, i) => i >= ipFamilies.length && isIPv6(address));
  return at < 0 ? undefined : { at };
}

/** Stops at the first of three steps that finds something, since that spoils the next. Returns whether all is right. */
export function checkFamilies(errors: Errors, at: FieldPath, spec: ReadSpec, old: ReadSpec | undefined): boolean {
  const before = errors.length;
  for (const check of [checkClusterIPs, checkPolicy, checkConfigured]) {
    check(errors, at, spec, old);
    if (errors.length > before) return false;
  }
  return true;
}

function checkClusterIPs(errors: Errors, at: FieldPath, spec: ReadSpec, old: ReadSpec | undefined): void {
  const { clusterIP, clusterIPs = [], ipFamilies = [] } = spec;
  const place = at.child('clusterIPs');
  if (!clusterIP && clusterIPs.length > 0) {
    errors.push(place.invalid(clusterIPs, 'must be empty when `clusterIP` is not specified'));
  }
  if (clusterIP && clusterIPs[0] !== clusterIP) {
    errors.push(clusterIPs[0] ? place.invalid(clusterIPs, 'first value must match `clusterIP`') : place.required());
  }
  ipFamilies.forEach((family, i) => {
    const one = at.index('ipFamilies', i);
    if (!FAMILIES.includes(family)) errors.push(one.notSupported(family, FAMILIES));
    if (ipFamilies.indexOf(family) < i) errors.push(one.duplicate(family));
  });
  checkOptionalOneOf(errors, at, 'ipFamilyPolicy', spec.ipFamilyPolicy, POLICIES);
  const areRight = checkForms(errors, at, clusterIPs, old);
  if (clusterIPs.length > ADDRESSES_MAX) {
    errors.push(place.invalid(clusterIPs, `may only hold up to ${ADDRESSES_MAX} values`));
  }
  // Of what is no address nobody can say which family it has.
  if (!areRight) return;
  if (clusterIPs.length > new Set(clusterIPs.map(familyOf)).size) {
    errors.push(place.invalid(clusterIPs, 'may specify no more than one IP for each IP family'));
  }
  if (isHeadless(spec)) return;
  clusterIPs.slice(0, ipFamilies.length).forEach((address, i) => {
    const family = ipFamilies[i];
    if (!FAMILIES.includes(family!) || family === familyOf(address)) return;
    errors.push(
      at.index('clusterIPs', i).invalid(address, `expected an ${family} value as indicated by \`ipFamilies[${i}]\``),
    );
  });
}

function checkForms(errors: Errors, at: FieldPath, clusterIPs: readonly string[], old: ReadSpec | undefined): boolean {
  const before = errors.length;
  const rule = unlessKept(ipAddress, old?.clusterIPs);
  clusterIPs.forEach((address, i) => {
    if (i === 0 && address === 'None') {
      if (clusterIPs.length > 1) {
        errors.push(at.child('clusterIPs').invalid(clusterIPs, "'None' must be the first and only value"));
      }
      return;
    }
    for (const problem of rule(address)) errors.push(at.index('clusterIPs', i).invalid(address, problem));
  });
  return errors.length === before;
}

function checkPolicy(errors: Errors, at: FieldPath, spec: ReadSpec, old: ReadSpec | undefined): void {
  const { ipFamilyPolicy, clusterIPs = [], ipFamilies = [] } = spec;
  const place = at.child('ipFamilyPolicy');
  const refuse = (why: string): number => errors.push(place.invalid(ipFamilyPolicy, why));
  const isFewer = (now: readonly string[], before: readonly string[] = []) =>
    now.length > 0 && now.length < before.length;
  if (ipFamilyPolicy !== 'SingleStack') {
    if (isFewer(clusterIPs, old?.clusterIPs)) refuse("must be 'SingleStack' to release the secondary cluster IP");
    if (isFewer(ipFamilies, old?.ipFamilies)) refuse("must be 'SingleStack' to release the secondary IP family");
  } else {
    const wanted = "must be 'RequireDualStack' or 'PreferDualStack' when multiple";
    if (clusterIPs.length === 2) refuse(`${wanted} cluster IPs are specified`);
    if (ipFamilies.length === 2) refuse(`${wanted} IP families are specified`);
  }
  const missing = familyNotConfigured(spec);
  if (missing)
    errors.push(at.index('clusterIPs', missing.at).invalid(clusterIPs, 'IPv6 is not configured on this cluster'));
}

function checkConfigured(errors: Errors, at: FieldPath, spec: ReadSpec): void {
  if (isFree(spec)) return;
  const { ipFamilyPolicy, ipFamilies = [] } = spec;
  if (ipFamilyPolicy === 'RequireDualStack') {
    const why = 'this cluster is not configured for dual-stack services';
    errors.push(at.child('ipFamilyPolicy').invalid(ipFamilyPolicy, why));
  }
  ipFamilies.forEach((family, i) => {
    if (family !== 'IPv4') errors.push(at.index('ipFamilies', i).invalid(family, 'not configured on this cluster'));
  });
}
