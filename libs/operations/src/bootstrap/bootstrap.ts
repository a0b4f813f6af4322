import { randomUUID } from 'node:crypto';
import {
  clusterRole,
  clusterRoleBinding,
  endpointSlice,
  flowSchema,
  type Kind,
  namespace,
  priorityClass,
  priorityLevelConfiguration,
  SYSTEM_PRIORITY_CLASSES,
  service,
} from '@periplus/api';
import { isAlreadyExists, isNotFound, type JsonObject } from '@periplus/apimachinery';
import type { Item, Operations, RequestContext, Target, User } from '../types.ts';
import type { ServiceNetwork } from '../writing/service-network.ts';
import { BOOTSTRAP_BINDINGS, BOOTSTRAP_ROLES } from './cluster-roles.ts';
import { bindingObject, missingRules, missingSubjects, roleObject } from './default-access.ts';
import { FLOW_SCHEMAS, flowControlObject, outdatedSpec, PRIORITY_LEVELS } from './flow-control.ts';

/** The api-server's own name in what it writes by itself. */
const API_SERVER: User = { name: 'system:apiserver', uid: '', groups: ['system:masters'], extra: {} };
const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];
const API_SERVICE = 'kubernetes';

export interface BootstrapDeps {
  operations: Operations;
  network: ServiceNetwork;
  /** Where pods reach this api-server; at a loopback address they do not, and the service has no endpoint. */
  advertised: { address: string; port: number };
  now: () => number;
}

const targetOf = (kind: unknown, inNamespace = '', name = ''): Target => ({
  kind: kind as Kind,
  namespace: inNamespace,
  name,
  subresource: '',
});

/** Makes what is missing and mends what is not as it should be, in the name of the api-server. */
class Builder {
  private readonly operations: Operations;
  private readonly now: () => number;

  constructor({ operations, now }: BootstrapDeps) {
    this.operations = operations;
    this.now = now;
  }

  /** `amend` says what an existing object lacks, as a merge patch. */
  async ensure(
    at: Target,
    make: () => object,
    amend: (existing: Item['object']) => JsonObject | null = () => null,
  ): Promise<void> {
    const existing = await this.find(at);
    if (existing) {
      const patch = amend(existing.object);
      if (patch) await this.patch(at, patch);
      return;
    }
    try {
      const body = { value: make() as JsonObject, json: null };
      await this.operations.create(this.context(), { ...at, name: '' }, body);
    } catch (error) {
      // Another server was faster.
      if (!isAlreadyExists(error)) throw error;
    }
  }

  private async find(at: Target): Promise<Item | undefined> {
    try {
      return await this.operations.get(this.context(), at, {});
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  private async patch(at: Target, value: JsonObject): Promise<void> {
    const patch = { mediaType: 'application/merge-patch+json', body: { value, json: null } };
    await this.operations.patch(this.context(), at, patch);
  }

  private context(): RequestContext {
    return {
      user: API_SERVER,
      requestId: randomUUID(),
      cause: null,
      dryRun: false,
      fieldManager: API_SERVER.name,
      fieldValidation: 'Strict',
      warnings: [],
      nowMs: this.now(),
    };
  }
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

const apiEndpoints = ({ advertised: { address, port } }: BootstrapDeps): JsonObject => ({
  addressType: 'IPv4',
  endpoints: [{ addresses: [address], conditions: { ready: true } }],
  ports: [{ name: 'https', protocol: 'TCP', port }],
});

/**
 * Makes what every cluster has: its namespaces, the default roles and bindings, the system's priority classes, priority
 * levels and flow schemas, and the `kubernetes` service. Default roles get what they lack, and the service's endpoint follows the server; all else that exists is left as it is. Fit
 * to be run at every start, by several servers at once.
 */
export async function bootstrap(deps: BootstrapDeps): Promise<void> {
  const builder = new Builder(deps);
  await Promise.all([
    ...NAMESPACES.map((name) => builder.ensure(targetOf(namespace, '', name), () => ({ metadata: { name } }))),
    ...BOOTSTRAP_ROLES.map((role) =>
      builder.ensure(
        targetOf(clusterRole, '', role.name),
        () => roleObject(role),
        (existing) => missingRules(existing as Parameters<typeof missingRules>[0], role),
      ),
    ),
    ...BOOTSTRAP_BINDINGS.map((binding) =>
      builder.ensure(
        targetOf(clusterRoleBinding, '', binding.role),
        () => bindingObject(binding),
        (existing) => missingSubjects(existing as Parameters<typeof missingSubjects>[0], binding),
      ),
    ),
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
  ]);
  await builder.ensure(targetOf(service, 'default', API_SERVICE), () => apiService(deps));
  if (deps.advertised.address.startsWith('127.')) return;
  const metadata = { name: API_SERVICE, labels: { 'kubernetes.io/service-name': API_SERVICE } };
  await builder.ensure(
    targetOf(endpointSlice, 'default', API_SERVICE),
    () => ({ metadata, ...apiEndpoints(deps) }),
    () => apiEndpoints(deps),
  );
}
