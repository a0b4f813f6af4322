import type { DeepReadonly, FieldPath } from '@periplus/apimachinery';
import { warnOfAddress, warnOfRange } from '../address-warnings.ts';
import { type Warnings, warn } from '../field-rules.ts';
import { isHeadless } from './service-linked-fields.ts';
import type { Service } from './service-type.ts';

const HINTS = 'service.kubernetes.io/topology-aware-hints';
const MODE = 'service.kubernetes.io/topology-mode';

/** What a Service says in vain, or will not be able to say for ever. */
export function warnOfService(warnings: Warnings, at: FieldPath, { metadata, spec }: DeepReadonly<Service>): void {
  const { type, externalName, externalIPs = [], loadBalancerIP, sessionAffinity, trafficDistribution } = spec;
  const place = at.child('spec');
  if (metadata.annotations?.[HINTS] !== undefined) {
    warnings.push(`annotation ${HINTS} is deprecated, please use ${MODE} instead`);
  }
  const isExternalName = type === 'ExternalName';
  if (!isExternalName && !isHeadless(spec)) {
    spec.clusterIPs?.forEach((address, i) => {
      warnOfAddress(warnings, place.index('clusterIPs', i), address);
    });
  }
  externalIPs.forEach((address, i) => {
    warnOfAddress(warnings, place.index('externalIPs', i), address);
  });
  if (type === 'ClusterIP' && isHeadless(spec)) {
    const ignored = (field: string): number => warnings.push(`spec.${field} is ignored for headless services`);
    if (loadBalancerIP) ignored('loadBalancerIP');
    if (externalIPs.length > 0) ignored('externalIPs');
    if (sessionAffinity !== 'None') ignored('SessionAffinity');
  } else if (externalIPs.length > 0 && !isExternalName) {
    warnings.push('spec.externalIPs is deprecated and may no longer be implemented in some clusters');
  }
  if (loadBalancerIP) warnOfAddress(warnings, place.child('loadBalancerIP'), loadBalancerIP);
  spec.loadBalancerSourceRanges?.forEach((range, i) => {
    warnOfRange(warnings, place.index('loadBalancerSourceRanges', i), range);
  });
  if (isExternalName && externalIPs.length > 0) {
    warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  }
  if (!isExternalName && externalName) {
    warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  }
  if (trafficDistribution === 'PreferClose') {
    warn(warnings, place.child('trafficDistribution'), '"PreferClose" is deprecated; use "PreferSameZone"');
  }
}
