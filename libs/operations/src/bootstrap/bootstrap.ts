import {
  type ConfigMap,
  clusterRole,
  clusterRoleBinding,
  configMap,
  DEFAULT_SERVICE_CIDR,
  dayOf,
  endpointSlice,
  endpoints,
  flowSchema,
  NODE_LOCAL_PROVISIONER,
  namespace,
  priorityClass,
  priorityLevelConfiguration,
  role,
  roleBinding,
  type ServiceCIDR,
  SYSTEM_PRIORITY_CLASSES,
  sameValue,
  service,
  serviceCIDR,
  startOfDay,
  storageClass,
  TOKEN_TRACKING,
} from '@periplus/api';
import { formatTime, type JsonObject } from '@periplus/apimachinery';
import type { Operations } from '../types.ts';
import type { ServiceNetwork } from '../writing/service-network.ts';
import { Builder, targetOf } from './builder.ts';
import { BOOTSTRAP_BINDINGS, BOOTSTRAP_ROLES, type BootstrapBinding, type BootstrapRole } from './cluster-roles.ts';
import { CONTROLLER_BINDINGS, CONTROLLER_ROLES } from './controller-roles.ts';
import { bindingObject, missingRules, missingSubjects, roleObject } from './default-access.ts';
import { FLOW_SCHEMAS, flowControlObject, outdatedSpec, PRIORITY_LEVELS } from './flow-control.ts';
import { AUTHENTICATION_CONFIG_MAP, NAMESPACE_BINDINGS, NAMESPACE_ROLES } from './namespace-roles.ts';

const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];
const API_SERVICE = 'kubernetes';

export interface BootstrapDeps {
  operations: Operations;
  network: ServiceNetwork;
  /** Where pods reach this api-server; at a loopback address they do not, and the service has no endpoint. */
  advertised: { address: string; port: number };
  /** PEM: what client certificates come from, told to programs that let the same clients in. */
  clientAuthority: Buffer;
  now: () => number;
}

/** Inside of the cluster the API is a service like any other, but that its endpoints are no pods. */
const apiService = ({ network, advertised: { port } }: BootstrapDeps): object => ({
  metadata: { name: API_SERVICE, labels: { component: 'apiserver', provider: 'kubernetes' } },
  spec: {
    type: 'ClusterIP',
    clusterIP: network.apiServerAddress,
    ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: port }],
  },
});

const apiSlice = ({ advertised: { address, port } }: BootstrapDeps): JsonObject => ({
  addressType: 'IPv4',
  endpoints: [{ addresses: [address], conditions: { ready: true } }],
  ports: [{ name: 'https', protocol: 'TCP', port }],
});

const apiEndpoints = ({ advertised: { address, port } }: BootstrapDeps): JsonObject => ({
  subsets: [{ addresses: [{ ip: address }], ports: [{ name: 'https', protocol: 'TCP', port }] }],
});

/** For claims that name no class: directories of the node that the pod runs on. */
const DEFAULT_CLASS = {
  metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  provisioner: NODE_LOCAL_PROVISIONER,
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'WaitForFirstConsumer',
  allowVolumeExpansion: true,
};

const ensureRole = (builder: Builder, one: BootstrapRole): Promise<void> =>
  builder.ensure(
    targetOf(one.namespace ? role : clusterRole, one.namespace, one.name),
    () => roleObject(one),
    (existing) => missingRules(existing as Parameters<typeof missingRules>[0], one),
  );

const ensureBinding = (builder: Builder, one: BootstrapBinding): Promise<void> =>
  builder.ensure(
    targetOf(one.namespace ? roleBinding : clusterRoleBinding, one.namespace, one.name ?? one.role),
    () => bindingObject(one),
    (existing) => missingSubjects(existing as Parameters<typeof missingSubjects>[0], one),
  );

/** The range that addresses of Services come from, for those who look it up. */
async function ensureServiceRange(builder: Builder, { network, now }: BootstrapDeps): Promise<void> {
  const target = targetOf(serviceCIDR, '', DEFAULT_SERVICE_CIDR);
  const make = (): object => ({ metadata: { name: DEFAULT_SERVICE_CIDR }, spec: { cidrs: [network.serviceCidr] } });
  await builder.ensure(target, make);
  const message = 'Kubernetes default Service CIDR is ready';
  const ready = { type: 'Ready', status: 'True', reason: '', message, lastTransitionTime: formatTime(now()) };
  await builder.ensure({ ...target, subresource: 'status' }, make, (existing) =>
    (existing as ServiceCIDR).status?.conditions?.length ? null : { status: { conditions: [ready] } },
  );
}

/** Since when it is known which tokens in Secrets are used: from the first start on that notes it. */
async function ensureTokenTracking(builder: Builder, { now }: BootstrapDeps): Promise<void> {
  const { namespace: home, name, key } = TOKEN_TRACKING;
  const data = { [key]: dayOf(now()) };
  await builder.ensure(
    targetOf(configMap, home, name),
    () => ({ metadata: { name }, data }),
    (existing) => (startOfDay((existing as ConfigMap).data?.[key]) === undefined ? { data } : null),
  );
}

/**
 * Makes what every cluster has: its namespaces, the default roles and bindings, the system's priority classes, priority
 * levels and flow schemas, a default StorageClass, the range of Services' addresses, and the `kubernetes` service.
 * Default roles get what they lack, and what is said of this server follows it; all else that exists is left as it is.
 * Fit to be run at every start, by several servers at once.
 */
export async function bootstrap(deps: BootstrapDeps): Promise<void> {
  const builder = new Builder(deps);
  await Promise.all([
    ...NAMESPACES.map((name) => builder.ensure(targetOf(namespace, '', name), () => ({ metadata: { name } }))),
    ...[...BOOTSTRAP_ROLES, ...CONTROLLER_ROLES].map((one) => ensureRole(builder, one)),
    ...[...BOOTSTRAP_BINDINGS, ...CONTROLLER_BINDINGS].map((one) => ensureBinding(builder, one)),
    ...SYSTEM_PRIORITY_CLASSES.map(({ name, ...more }) =>
      builder.ensure(targetOf(priorityClass, '', name), () => ({ metadata: { name }, ...more })),
    ),
    ...Object.entries(PRIORITY_LEVELS).map(([name, spec]) =>
      builder.ensure(
        targetOf(priorityLevelConfiguration, '', name),
        () => flowControlObject(name, spec),
        (existing) => outdatedSpec(existing, spec),
      ),
    ),
    ...Object.entries(FLOW_SCHEMAS).map(([name, spec]) =>
      builder.ensure(
        targetOf(flowSchema, '', name),
        () => flowControlObject(name, spec),
        (existing) => outdatedSpec(existing, spec),
      ),
    ),
    builder.ensure(targetOf(storageClass, '', DEFAULT_CLASS.metadata.name), () => structuredClone(DEFAULT_CLASS)),
  ]);
  const authority = { 'client-ca-file': deps.clientAuthority.toString() };
  const { namespace: home, name } = AUTHENTICATION_CONFIG_MAP;
  await Promise.all([
    ...NAMESPACE_ROLES.map((one) => ensureRole(builder, one)),
    ...NAMESPACE_BINDINGS.map((one) => ensureBinding(builder, one)),
    builder.ensure(
      targetOf(configMap, home, name),
      () => ({ metadata: { name }, data: authority }),
      (existing) => (sameValue((existing as { data?: unknown }).data, authority) ? null : { data: authority }),
    ),
    builder.ensure(targetOf(service, 'default', API_SERVICE), () => apiService(deps)),
    ensureServiceRange(builder, deps),
    ensureTokenTracking(builder, deps),
  ]);
  if (deps.advertised.address.startsWith('127.')) return;
  await Promise.all([
    builder.ensure(
      targetOf(endpointSlice, 'default', API_SERVICE),
      () => ({
        metadata: { name: API_SERVICE, labels: { 'kubernetes.io/service-name': API_SERVICE } },
        ...apiSlice(deps),
      }),
      () => apiSlice(deps),
    ),
    builder.ensure(
      targetOf(endpoints, 'default', API_SERVICE),
      () => ({
        metadata: { name: API_SERVICE, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
        ...apiEndpoints(deps),
      }),
      () => apiEndpoints(deps),
    ),
  ]);
}
