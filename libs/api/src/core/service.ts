import { type DeepReadonly, dns1035Label } from '@periplus/apimachinery';
import { warnOfBalancer } from '../address-warnings.ts';
import { ageColumn, formatLabels, nameColumn, orNone } from '../columns.ts';
import { defineKind } from '../define.ts';
import { fieldText } from '../field-text.ts';
import { setAddressFamilies } from './service-families.ts';
import { dropFieldsOfOldType, isExternal, keepAllocated, linkClusterIPs } from './service-linked-fields.ts';
import type { Service } from './service-type.ts';
import { checkService, checkServiceStatus, checkServiceUpdate } from './service-validation.ts';
import { warnOfService } from './service-warnings.ts';

export type { Service } from './service-type.ts';

const AFFINITY_SECONDS = 3 * 60 * 60;

function externalAddressOf(service: DeepReadonly<Service>): string {
  const { type, externalIPs = [], externalName } = service.spec;
  if (type === 'ExternalName') return externalName ?? '';
  if (type !== 'LoadBalancer') return orNone(externalIPs.join(','));
  const ingress = (service.status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip || hostname || []);
  const addresses = [...new Set(ingress)].sort().concat(externalIPs);
  return addresses.length > 0 ? addresses.join(',') : '<pending>';
}

function portsOf(service: DeepReadonly<Service>): string {
  const ports = service.spec.ports ?? [];
  const text = ports.map(({ port, nodePort, protocol }) => `${port}${nodePort ? `:${nodePort}` : ''}/${protocol}`);
  return orNone(text.join(','));
}

/** https://kubernetes.io/docs/concepts/services-networking/service/ */
export const service = defineKind<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  shortNames: ['svc'],
  categories: ['all'],
  namespaced: true,
  answersRemoved: true,
  createdByUpdate: true,
  columns: [
    nameColumn,
    { name: 'Type', type: 'string', description: fieldText('v1.ServiceSpec.type'), of: ({ spec }) => spec.type ?? '' },
    {
      name: 'Cluster-IP',
      type: 'string',
      description: fieldText('v1.ServiceSpec.clusterIP'),
      of: ({ spec }) => orNone(spec.clusterIPs?.[0]),
    },
    {
      name: 'External-IP',
      type: 'string',
      description: fieldText('v1.ServiceSpec.externalIPs'),
      of: externalAddressOf,
    },
    { name: 'Port(s)', type: 'string', description: fieldText('v1.ServiceSpec.ports'), of: portsOf },
    ageColumn,
    {
      name: 'Selector',
      type: 'string',
      priority: 1,
      description: fieldText('v1.ServiceSpec.selector'),
      of: ({ spec }) => formatLabels(spec.selector),
    },
  ],
  selectableFields: {
    'spec.clusterIP': ({ spec }) => spec.clusterIP ?? '',
    'spec.type': ({ spec }) => spec.type ?? '',
  },
  setDefaults(service) {
    service.spec ??= {};
    service.status ??= {};
    service.status.loadBalancer ??= {};
    const { spec } = service;
    spec.type ||= 'ClusterIP';
    spec.sessionAffinity ||= 'None';
    if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
    else if (spec.sessionAffinity === 'ClientIP') {
      spec.sessionAffinityConfig ??= {};
      spec.sessionAffinityConfig.clientIP ??= {};
      spec.sessionAffinityConfig.clientIP.timeoutSeconds ??= AFFINITY_SECONDS;
    }
    for (const port of spec.ports ?? []) {
      port.protocol ||= 'TCP';
      port.targetPort ||= port.port;
    }
    if (spec.type !== 'ExternalName') spec.internalTrafficPolicy ||= 'Cluster';
    if (isExternal(spec)) spec.externalTrafficPolicy ||= 'Cluster';
    if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true;
    for (const ingress of service.status.loadBalancer.ingress ?? []) if (ingress.ip) ingress.ipMode ||= 'VIP';
  },
  prepareForCreate(service) {
    service.status = { loadBalancer: {} };
    linkClusterIPs(service.spec);
    setAddressFamilies(service.spec);
  },
  prepareForUpdate({ spec }, { spec: old }) {
    keepAllocated(spec, old);
    linkClusterIPs(spec, old);
    dropFieldsOfOldType(spec, old);
    setAddressFamilies(spec, old);
  },
  nameRule: dns1035Label,
  check: checkService,
  checkUpdate: checkServiceUpdate,
  warn: warnOfService,
  checkStatusUpdate: checkServiceStatus,
  warnOfStatus: warnOfBalancer,
});
