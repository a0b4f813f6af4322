import {
  type DeepReadonly,
  dns1035Label,
  dns1123Subdomain,
  type FieldPath,
  ipAddress,
  portName,
  portNumber,
  wildcardDns1123Subdomain,
} from '@periplus/apimachinery';
import type { IHTTPIngressPath } from 'kubernetes-models/networking.k8s.io/v1/HTTPIngressPath';
import type { IIngress } from 'kubernetes-models/networking.k8s.io/v1/Ingress';
import type { IIngressBackend } from 'kubernetes-models/networking.k8s.io/v1/IngressBackend';
import { warnOfBalancer } from '../address-warnings.ts';
import { ageColumn, nameColumn, orNone } from '../columns.ts';
import { defineKind } from '../define.ts';
import { checkText, type Errors, unlessKept } from '../field-rules.ts';
import type { Stored } from '../stored.ts';
import { checkTypedReference } from './typed-reference.ts';

export type Ingress = Stored<IIngress, 'spec'>;

type Spec = DeepReadonly<Ingress['spec']>;

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';
const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix'];
/** Servers would read paths with these in different ways. */
const AMBIGUOUS_PARTS = ['//', '/./', '/../', '%2f', '%2F'];
const AMBIGUOUS_ENDS = ['/..', '/.'];
const HOSTS_SHOWN_MAX = 3;

const isAddress = (text: string): boolean => ipAddress(text).length === 0;

function checkHost(errors: Errors, at: FieldPath, host: string): void {
  const rule = host.includes('*') ? wildcardDns1123Subdomain : dns1123Subdomain;
  for (const problem of rule(host)) errors.push(at.invalid(host, problem));
}

function checkServicePort(errors: Errors, at: FieldPath, service: NonNullable<IIngressBackend['service']>): void {
  const { name, number } = service.port ?? {};
  if (name && number) errors.push(at.invalid('', 'cannot set both port name & port number'));
  else if (name) checkText(errors, at.child('service', 'port'), 'name', name, portName);
  else if (number) {
    for (const problem of portNumber(number)) {
      errors.push(at.child('service', 'port', 'number').invalid(number, problem));
    }
  } else errors.push(at.required('port name or number is required'));
}

function checkBackend(errors: Errors, at: FieldPath, { resource, service }: DeepReadonly<IIngressBackend>): void {
  if (resource && service) errors.push(at.invalid('', 'cannot set both resource and service backends'));
  else if (resource) checkTypedReference(errors, at.child('resource'), resource);
  else if (service) {
    const place = at.child('service', 'name');
    if (!service.name) errors.push(place.required());
    else for (const problem of dns1035Label(service.name)) errors.push(place.invalid(service.name, problem));
    checkServicePort(errors, at, service);
  } else errors.push(at.invalid('', 'resource or service backend is required'));
}

function checkPath(errors: Errors, at: FieldPath, { path = '', pathType, backend }: DeepReadonly<IHTTPIngressPath>) {
  const place = at.child('path');
  if (!pathType) {
    errors.push(at.child('pathType').required('pathType must be specified'));
    return;
  }
  const isExactOrPrefix = pathType === 'Exact' || pathType === 'Prefix';
  if (!PATH_TYPES.includes(pathType)) errors.push(at.child('pathType').notSupported(pathType, PATH_TYPES));
  else if ((isExactOrPrefix || path !== '') && !path.startsWith('/')) {
    errors.push(place.invalid(path, 'must be an absolute path'));
  }
  if (isExactOrPrefix) {
    for (const part of AMBIGUOUS_PARTS) {
      if (path.includes(part)) errors.push(place.invalid(path, `must not contain '${part}'`));
    }
    for (const end of AMBIGUOUS_ENDS) {
      if (path.endsWith(end)) errors.push(place.invalid(path, `cannot end with '${end}'`));
    }
  }
  checkBackend(errors, at.child('backend'), backend ?? {});
}

function checkRules(errors: Errors, at: FieldPath, { rules = [] }: Spec): void {
  rules.forEach(({ host, http }, i) => {
    const place = at.index('rules', i);
    if (host) {
      if (isAddress(host)) errors.push(place.child('host').invalid(host, 'must be a DNS name, not an IP address'));
      checkHost(errors, place.child('host'), host);
    }
    if (!http) return;
    if (!http.paths?.length) errors.push(place.child('http', 'paths').required());
    http.paths?.forEach((path, position) => {
      checkPath(errors, place.child('http').index('paths', position), path);
    });
  });
}

function check(errors: Errors, root: FieldPath, { spec }: DeepReadonly<Ingress>): void {
  const at = root.child('spec');
  const { rules, defaultBackend, tls, ingressClassName } = spec;
  if (!rules?.length && !defaultBackend) {
    errors.push(at.invalid(rules ?? null, 'either `defaultBackend` or `rules` must be specified'));
  }
  if (defaultBackend) checkBackend(errors, at.child('defaultBackend'), defaultBackend);
  checkRules(errors, at, spec);
  tls?.forEach(({ hosts = [], secretName }, i) => {
    const place = at.index('tls', i);
    hosts.forEach((host, position) => {
      checkHost(errors, place.index('hosts', position), host);
    });
    checkText(errors, place, 'secretName', secretName, dns1123Subdomain);
  });
  if (ingressClassName === undefined) return;
  for (const problem of dns1123Subdomain(ingressClassName)) {
    errors.push(at.child('ingressClassName').invalid(ingressClassName, problem));
  }
}

/** An old annotation says the same as a field. */
function checkNew(errors: Errors, root: FieldPath, { metadata, spec }: DeepReadonly<Ingress>): void {
  const annotation = metadata.annotations?.[CLASS_ANNOTATION];
  if (annotation === undefined || spec.ingressClassName === undefined || annotation === spec.ingressClassName) return;
  const detail = 'must match `ingressClassName` when both are specified';
  errors.push(root.child('annotations', CLASS_ANNOTATION).invalid(annotation, detail));
}

function checkStatus(
  errors: Errors,
  root: FieldPath,
  { status }: DeepReadonly<Ingress>,
  old: DeepReadonly<Ingress>,
): void {
  const rule = unlessKept(
    ipAddress,
    old.status?.loadBalancer?.ingress?.map(({ ip }) => ip),
  );
  status?.loadBalancer?.ingress?.forEach(({ ip, hostname }, i) => {
    const place = root.child('status', 'loadBalancer').index('ingress', i);
    checkText(errors, place, 'ip', ip, rule);
    checkText(errors, place, 'hostname', hostname, dns1123Subdomain);
    if (hostname && isAddress(hostname)) {
      errors.push(place.child('hostname').invalid(hostname, 'must be a DNS name, not an IP address'));
    }
  });
}

/** `a.example.com,b.example.com + 2 more...`; `*` when any will do. */
function hostsOf({ rules = [] }: Spec): string {
  const hosts: string[] = [];
  let hasMore = false;
  for (const { host } of rules) {
    if (hosts.length === HOSTS_SHOWN_MAX) hasMore = true;
    else if (host) hosts.push(host);
  }
  if (hosts.length === 0) return '*';
  return hasMore ? `${hosts.join(',')} + ${rules.length - HOSTS_SHOWN_MAX} more...` : hosts.join(',');
}

function addressesOf({ status }: DeepReadonly<Ingress>): string {
  const addresses = status?.loadBalancer?.ingress?.map(({ ip, hostname }) => ip || hostname || '') ?? [];
  return [...new Set(addresses.filter((address) => address !== ''))].sort().join(',');
}

/** https://kubernetes.io/docs/concepts/services-networking/ingress/ */
export const ingress = defineKind<Ingress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  plural: 'ingresses',
  shortNames: ['ing'],
  namespaced: true,
  generation: true,
  columns: [
    nameColumn,
    {
      name: 'Class',
      type: 'string',
      description: 'The name of the IngressClass resource that should be used for additional configuration',
      of: ({ spec }) => orNone(spec.ingressClassName),
    },
    {
      name: 'Hosts',
      type: 'string',
      description: 'Hosts that incoming requests are matched against before the ingress rule',
      of: ({ spec }) => hostsOf(spec),
    },
    {
      name: 'Address',
      type: 'string',
      description: 'Address is a list containing ingress points for the load-balancer',
      of: addressesOf,
    },
    {
      name: 'Ports',
      type: 'string',
      description: 'Ports of TLS configurations that open',
      of: ({ spec }) => (spec.tls?.length ? '80, 443' : '80'),
    },
    ageColumn,
  ],
  check,
  checkNew,
  warn(warnings, _, { metadata, spec }, old) {
    if (old !== null || spec.ingressClassName !== undefined || metadata.annotations?.[CLASS_ANNOTATION] === undefined) {
      return;
    }
    warnings.push(`annotation "${CLASS_ANNOTATION}" is deprecated, please use 'spec.ingressClassName' instead`);
  },
  checkStatusUpdate: checkStatus,
  warnOfStatus: warnOfBalancer,
  setDefaults(ingress) {
    ingress.spec ??= {};
    ingress.status ??= { loadBalancer: {} };
  },
  prepareForCreate(ingress) {
    ingress.status = { loadBalancer: {} };
  },
});
