import type { DeepReadonly, FieldPath } from '@periplus/apimachinery';
import type { IServiceCIDR } from 'kubernetes-models/networking.k8s.io/v1/ServiceCIDR';
import { canonicalRange, isIpv6Range } from '../addresses.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { checkImmutable, type Errors } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';
import type { Stored } from '../stored.ts';

export type ServiceCIDR = Stored<IServiceCIDR, 'spec'>;

/** One of each family of addresses. */
const RANGES_MAX = 2;

/** Holds a ServiceCIDR while addresses would be without one. */
export const SERVICE_CIDR_PROTECTION = 'networking.k8s.io/service-cidr-finalizer';
/** The range that the api-server is configured with. */
export const DEFAULT_SERVICE_CIDR = 'kubernetes';
const READY = 'Ready';

/** Whether addresses may be taken from it. Until somebody has said anything it is as good as ready. */
export function isReadyServiceCIDR({ metadata, status }: DeepReadonly<ServiceCIDR>): boolean {
  if (metadata.deletionTimestamp) return false;
  const ready = status?.conditions?.find(({ type }) => type === READY);
  return ready === undefined || ready.status === 'True';
}

function check(errors: Errors, root: FieldPath, { spec }: DeepReadonly<ServiceCIDR>): void {
  const { cidrs = [] } = spec;
  const at = root.child('spec', 'cidrs');
  if (cidrs.length === 0) errors.push(at.required('at least one CIDR required'));
  else if (cidrs.length > RANGES_MAX) errors.push(at.invalid(spec, 'may only hold up to 2 values'));
  else if (new Set(cidrs.map(isIpv6Range)).size < cidrs.length) {
    const detail = 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64';
    errors.push(at.invalid(spec, detail));
  } else {
    cidrs.forEach((range, i) => {
      for (const problem of canonicalRange(range)) errors.push(at.item(i).invalid(range, problem));
    });
  }
}

/** https://kubernetes.io/docs/reference/networking/virtual-ips/#ip-address-objects */
export const serviceCIDR = defineKind<ServiceCIDR>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  namespaced: false,
  columns: [
    nameColumn,
    {
      name: 'CIDRs',
      type: 'string',
      description: fieldText('networking.k8s.io/v1.ServiceCIDRSpec.cidrs'),
      of: ({ spec }) => (spec.cidrs ?? []).join(','),
    },
    ageColumn,
  ],
  checkNew: check,
  checkUpdate(errors, at, { spec }, { spec: old }) {
    checkImmutable(errors, at.child('spec'), 'cidrs', spec.cidrs, old.cidrs);
  },
  setDefaults(serviceCIDR) {
    serviceCIDR.spec ??= {};
    serviceCIDR.status ??= {};
  },
});
