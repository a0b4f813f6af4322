import { randomUUID } from 'node:crypto';
import { clusterRole, clusterRoleBinding, endpointSlice, type Kind, namespace, service } from '@periplus/api';
import { isAlreadyExists, type JsonObject } from '@periplus/apimachinery';
import type { Operations, RequestContext, Target, User } from '../types.ts';
import type { ServiceNetwork } from '../writing/service-network.ts';
import { BOOTSTRAP_BINDINGS, BOOTSTRAP_ROLES, type BootstrapBinding, type BootstrapRole } from './cluster-roles.ts';

/** The api-server's own name in what it writes by itself. */
const API_SERVER: User = { name: 'system:apiserver', uid: '', groups: ['system:masters'], extra: {} };
const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];
const RBAC_GROUP = 'rbac.authorization.k8s.io';
const RBAC = `${RBAC_GROUP}/v1`;

export interface BootstrapDeps {
  operations: Operations;
  network: ServiceNetwork;
  /** Where pods reach this api-server; at a loopback address they do not, and the service has no endpoint. */
  advertised: { address: string; port: number };
  now: () => number;
}

const BOOTSTRAPPING = {
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
  annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
};

function roleObject({ name, rules, aggregates, aggregatedTo }: BootstrapRole): object {
  const mark = (role: string): Record<string, string> => ({ [`${RBAC_GROUP}/aggregate-to-${role}`]: 'true' });
  const labels = { ...BOOTSTRAPPING.labels, ...(aggregatedTo && mark(aggregatedTo)) };
  return {
    kind: 'ClusterRole',
    apiVersion: RBAC,
    metadata: { ...BOOTSTRAPPING, name, labels },
    ...(aggregates && { aggregationRule: { clusterRoleSelectors: [{ matchLabels: mark(aggregates) }] } }),
    ...(rules.length > 0 && { rules }),
  };
}

function bindingObject({ role, groups = [], users = [] }: BootstrapBinding): object {
  const subject = (kind: string) => (name: string) => ({ kind, apiGroup: RBAC_GROUP, name });
  return {
    kind: 'ClusterRoleBinding',
    apiVersion: RBAC,
    metadata: { ...BOOTSTRAPPING, name: role },
    roleRef: { apiGroup: RBAC_GROUP, kind: 'ClusterRole', name: role },
    subjects: [...groups.map(subject('Group')), ...users.map(subject('User'))],
  };
}

/** Inside of the cluster the API is a service like any other, but that its endpoints are no pods. */
function apiServices({ network, advertised: { address, port } }: BootstrapDeps): {
  service: object;
  slice: JsonObject;
} {
  const metadata = { name: 'kubernetes', namespace: 'default' };
  const common = { component: 'apiserver', provider: 'kubernetes' };
  return {
    service: {
      metadata: { ...metadata, labels: common },
      spec: {
        type: 'ClusterIP',
        clusterIP: network.apiServerAddress,
        ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: port }],
      },
    },
    slice: {
      metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'kubernetes' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
      ports: [{ name: 'https', protocol: 'TCP', port }],
    },
  };
}

/**
 * Makes what every cluster has: its namespaces, the default roles and bindings, and the `kubernetes` service. What
 * exists is left as it is, but for the service's endpoint, which follows the server. Fit to be run at every start, by
 * several servers at once.
 */
export async function bootstrap(deps: BootstrapDeps): Promise<void> {
  const { operations, now } = deps;
  const context = (): RequestContext => ({
    user: API_SERVER,
    requestId: randomUUID(),
    cause: null,
    dryRun: false,
    fieldManager: 'system:apiserver',
    fieldValidation: 'Strict',
    warnings: [],
    nowMs: now(),
  });
  const target = (kind: unknown, namespace = '', name = ''): Target => ({
    kind: kind as Kind,
    namespace,
    name,
    subresource: '',
  });
  const ensure = async (kind: unknown, inNamespace: string, object: object): Promise<void> => {
    try {
      await operations.create(context(), target(kind, inNamespace), { value: object as JsonObject, json: null });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  };

  await Promise.all([
    ...NAMESPACES.map((name) => ensure(namespace, '', { metadata: { name } })),
    ...BOOTSTRAP_ROLES.map((role) => ensure(clusterRole, '', structuredClone(roleObject(role)))),
    ...BOOTSTRAP_BINDINGS.map((binding) => ensure(clusterRoleBinding, '', bindingObject(binding))),
  ]);
  const { service: api, slice } = apiServices(deps);
  await ensure(service, 'default', api);
  if (deps.advertised.address.startsWith('127.')) return;
  await ensure(endpointSlice, 'default', structuredClone(slice));
  await operations.patch(context(), target(endpointSlice, 'default', 'kubernetes'), {
    mediaType: 'application/merge-patch+json',
    body: { value: { endpoints: slice.endpoints!, ports: slice.ports! }, json: null },
  });
}
