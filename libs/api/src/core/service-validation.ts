/** https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/ */
import {
  type DeepReadonly,
  dns1123Label,
  dns1123Subdomain,
  type FieldPath,
  ipAddress,
  portNumber,
  qualifiedName,
  validateLabels,
} from '@periplus/apimachinery';
import type { IServicePort } from 'kubernetes-models/v1/ServicePort';
import { clearRange } from '../addresses.ts';
import { sameValue } from '../equality.ts';
import { checkOneOf, checkOptionalOneOf, checkText, type Errors, unlessKept } from '../field-rules.ts';
import { checkPort } from '../pod-spec/probes.ts';
import { specialAddressProblems } from '../special-addresses.ts';
import { checkFamilies } from './service-families.ts';
import { isExternal, isHeadless, needsHealthCheck } from './service-linked-fields.ts';
import type { Service } from './service-type.ts';

type Spec = DeepReadonly<Service>['spec'];

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const AFFINITIES = ['ClientIP', 'None'];
const TRAFFIC_POLICIES = ['Cluster', 'Local'];
const DISTRIBUTIONS = ['PreferClose', 'PreferSameNode', 'PreferSameZone'];
const AFFINITY_SECONDS_MAX = 24 * 60 * 60;
const SOURCE_RANGES = 'service.beta.kubernetes.io/load-balancer-source-ranges';

function checkServicePort(errors: Errors, at: FieldPath, port: DeepReadonly<IServicePort>): void {
  checkText(errors, at, 'name', port.name, dns1123Label);
  for (const problem of portNumber(port.port)) errors.push(at.child('port').invalid(port.port, problem));
  checkOneOf(errors, at, 'protocol', port.protocol, PROTOCOLS);
  checkPort(errors, at, 'targetPort', port.targetPort);
  checkText(errors, at, 'appProtocol', port.appProtocol, qualifiedName);
}

function checkPorts(errors: Errors, at: FieldPath, spec: Spec): void {
  const { ports = [], type } = spec;
  if (ports.length === 0 && !isHeadless(spec) && type !== 'ExternalName') errors.push(at.child('ports').required());
  const [names, numbers, nodePorts] = [new Set<string>(), new Set<string>(), new Set<string>()];
  ports.forEach((port, i) => {
    const place = at.index('ports', i);
    const { name = '', protocol, nodePort } = port;
    if (ports.length > 1 && !name) errors.push(place.child('name').required());
    checkServicePort(errors, place, port);
    if (name && names.has(name)) errors.push(place.child('name').duplicate(name));
    names.add(name);
    if (nodePort && type === 'ClusterIP') {
      errors.push(place.child('nodePort').forbidden("may not be used when `type` is 'ClusterIP'"));
    }
    const nodeId = `${protocol}/${nodePort}`;
    if (nodePort && nodePorts.has(nodeId)) errors.push(place.child('nodePort').duplicate(nodePort));
    nodePorts.add(nodeId);
    const id = `${protocol}/${port.port}`;
    if (numbers.has(id)) errors.push(place.duplicate({ port: port.port, protocol }));
    numbers.add(id);
  });
}

function checkAffinity(errors: Errors, at: FieldPath, { sessionAffinity, sessionAffinityConfig }: Spec): void {
  checkOneOf(errors, at, 'sessionAffinity', sessionAffinity, AFFINITIES);
  const place = at.child('sessionAffinityConfig');
  if (sessionAffinity === 'None' && sessionAffinityConfig) {
    errors.push(place.forbidden('must not be set when session affinity is None'));
  }
  if (sessionAffinity !== 'ClientIP') return;
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds;
  const secondsPath = place.child('clientIP', 'timeoutSeconds');
  if (seconds === undefined) errors.push(secondsPath.required('when session affinity type is ClientIP'));
  else if (seconds <= 0 || seconds > AFFINITY_SECONDS_MAX) {
    errors.push(secondsPath.invalid(seconds, `must be greater than 0 and less than ${AFFINITY_SECONDS_MAX}`));
  }
}

function checkExternalName(errors: Errors, at: FieldPath, spec: Spec): void {
  for (const field of ['clusterIPs', 'ipFamilies', 'ipFamilyPolicy'] as const) {
    if (spec[field]?.length) errors.push(at.child(field).forbidden('may not be set for ExternalName services'));
  }
  // A trailing dot marks it as fully qualified.
  const name = (spec.externalName ?? '').replace(/\.$/, '');
  if (!name) errors.push(at.child('externalName').required());
  for (const problem of name ? dns1123Subdomain(name) : [])
    errors.push(at.child('externalName').invalid(name, problem));
}

function checkLoadBalancer(errors: Errors, at: FieldPath, spec: Spec, old?: Spec): void {
  const isBalancer = spec.type === 'LoadBalancer';
  const onlyFor = "may only be used when `type` is 'LoadBalancer'";
  if (!isBalancer && spec.allocateLoadBalancerNodePorts !== undefined) {
    errors.push(at.child('allocateLoadBalancerNodePorts').forbidden(onlyFor));
  }
  if (spec.loadBalancerClass !== undefined) {
    if (!isBalancer) errors.push(at.child('loadBalancerClass').forbidden(onlyFor));
    checkText(errors, at, 'loadBalancerClass', spec.loadBalancerClass, qualifiedName);
  }
  // Kubernetes writes this one with a capital.
  const ranges = spec.loadBalancerSourceRanges ?? [];
  if (!isBalancer && ranges.length > 0) errors.push(at.child('LoadBalancerSourceRanges').forbidden(onlyFor));
  const rule = unlessKept(
    clearRange,
    old?.loadBalancerSourceRanges?.map((range) => range.trim()),
  );
  ranges.forEach((padded, i) => {
    const range = padded.trim();
    for (const problem of rule(range)) errors.push(at.index('LoadBalancerSourceRanges', i).invalid(range, problem));
  });
}

/** What the annotation says counts where the field says nothing. */
function checkAnnotatedRanges(
  errors: Errors,
  root: FieldPath,
  { metadata, spec }: DeepReadonly<Service>,
  old: DeepReadonly<Service> | null,
): void {
  const text = metadata.annotations?.[SOURCE_RANGES];
  if (text === undefined) return;
  const at = root.child('metadata').key('annotations', SOURCE_RANGES);
  if (spec.type !== 'LoadBalancer') errors.push(at.forbidden("may only be used when `type` is 'LoadBalancer'"));
  if (text.trim() === '' || old?.metadata.annotations?.[SOURCE_RANGES] === text) return;
  for (const range of text.split(',').map((part) => part.trim())) {
    for (const problem of clearRange(range)) errors.push(at.invalid(range, problem));
  }
}

function checkTraffic(errors: Errors, at: FieldPath, spec: Spec): void {
  if (isExternal(spec)) checkOneOf(errors, at, 'externalTrafficPolicy', spec.externalTrafficPolicy, TRAFFIC_POLICIES);
  else if (spec.externalTrafficPolicy) {
    const detail = 'may only be set for externally-accessible services';
    errors.push(at.child('externalTrafficPolicy').invalid(spec.externalTrafficPolicy, detail));
  }
  const { healthCheckNodePort: port } = spec;
  const portPath = at.child('healthCheckNodePort');
  if (port && !needsHealthCheck(spec)) {
    const detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    errors.push(portPath.invalid(port, detail));
  } else if (port) for (const problem of portNumber(port)) errors.push(portPath.invalid(port, problem));
  if (spec.type !== 'ExternalName') {
    checkOneOf(errors, at, 'internalTrafficPolicy', spec.internalTrafficPolicy, TRAFFIC_POLICIES);
  }
  checkOptionalOneOf(errors, at, 'trafficDistribution', spec.trafficDistribution, DISTRIBUTIONS);
}

/** Addresses and node ports may still be missing: they are allocated after this. */
export function checkService(
  errors: Errors,
  root: FieldPath,
  service: DeepReadonly<Service>,
  before: DeepReadonly<Service> | null,
): void {
  const { spec } = service;
  const old = before?.spec;
  const at = root.child('spec');
  // Addresses come first: what they are refused for is said alone.
  if (spec.type !== 'ExternalName' && !checkFamilies(errors, at, spec, old)) return;
  checkOneOf(errors, at, 'type', spec.type, TYPES);
  checkPorts(errors, at, spec);
  if (spec.selector) errors.push(...validateLabels(spec.selector, at.child('selector')));
  checkAffinity(errors, at, spec);
  if (spec.type === 'ExternalName') checkExternalName(errors, at, spec);
  else {
    if (isHeadless(spec) && spec.type !== 'ClusterIP') {
      const detail = `may not be set to 'None' for ${spec.type} services`;
      errors.push(at.index('clusterIPs', 0).invalid('None', detail));
    }
  }
  const rule = unlessKept(ipAddress, old?.externalIPs);
  spec.externalIPs?.forEach((address, i) => {
    const problems = rule(address);
    for (const problem of problems.length > 0 ? problems : specialAddressProblems(address)) {
      errors.push(at.index('externalIPs', i).invalid(address, problem));
    }
  });
  checkLoadBalancer(errors, at, spec, old);
  if (!spec.loadBalancerSourceRanges?.length) checkAnnotatedRanges(errors, root, service, before);
  checkTraffic(errors, at, spec);
}

/** Addresses stay for as long as the service has any. */
export function checkServiceUpdate(
  errors: Errors,
  root: FieldPath,
  { spec }: DeepReadonly<Service>,
  { spec: old }: DeepReadonly<Service>,
): void {
  const at = root.child('spec');
  if (old.type === 'LoadBalancer' && spec.type === 'LoadBalancer') {
    if (!sameValue(spec.loadBalancerClass, old.loadBalancerClass)) {
      errors.push(at.child('loadBalancerClass').invalid(spec.loadBalancerClass ?? null, 'may not change once set'));
    }
  }
  if (needsHealthCheck(old) && needsHealthCheck(spec) && spec.healthCheckNodePort !== old.healthCheckNodePort) {
    errors.push(at.child('healthCheckNodePort').forbidden('field is immutable'));
  }
  if (spec.type === 'ExternalName' || old.type === 'ExternalName') return;
  if (!(isHeadless(spec) && isHeadless(old))) {
    const { clusterIPs = [] } = spec;
    old.clusterIPs?.forEach((address, i) => {
      const place = at.index('clusterIPs', i);
      if (clusterIPs.length === 0) {
        if (i === 0) errors.push(place.invalid(clusterIPs, 'primary clusterIP can not be unset'));
      } else if (clusterIPs[i] !== address) errors.push(place.invalid(clusterIPs, 'may not change once set'));
    });
  }
  if (isHeadless(spec) || isHeadless(old) || !old.ipFamilies?.length) return;
  if (spec.ipFamilies?.[0] !== old.ipFamilies[0]) {
    errors.push(at.index('ipFamilies', 0).invalid(spec.ipFamilies ?? [], 'may not change once set'));
  }
}

export function checkServiceStatus(
  errors: Errors,
  root: FieldPath,
  { spec, status }: DeepReadonly<Service>,
  old: DeepReadonly<Service>,
): void {
  const rule = unlessKept(
    ipAddress,
    old.status?.loadBalancer?.ingress?.map(({ ip }) => ip),
  );
  const at = root.child('status', 'loadBalancer');
  const { ingress = [] } = status?.loadBalancer ?? {};
  if (ingress.length > 0 && spec.type !== 'LoadBalancer') {
    errors.push(at.child('ingress').forbidden("may only be used when `spec.type` is 'LoadBalancer'"));
    return;
  }
  ingress.forEach(({ ip, hostname, ipMode }, i) => {
    const place = at.index('ingress', i);
    checkText(errors, place, 'ip', ip, rule);
    checkText(errors, place, 'hostname', hostname, dns1123Subdomain);
    if (hostname && ipAddress(hostname).length === 0) {
      errors.push(place.child('hostname').invalid(hostname, 'must be a DNS name, not an IP address'));
    }
    if (ipMode !== undefined && !ip) {
      errors.push(place.child('ipMode').forbidden('may not be specified when `ip` is not set'));
    }
    checkOptionalOneOf(errors, place, 'ipMode', ipMode, ['Proxy', 'VIP']);
  });
}
