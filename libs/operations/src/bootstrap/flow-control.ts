/** How requests are kept apart from the start. https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#defaults */
import {
  everythingOf,
  type FlowSchema,
  MANDATORY_FLOW_SCHEMAS,
  MANDATORY_PRIORITY_LEVELS,
  type PriorityLevelConfiguration,
  sameValue,
} from '@periplus/api';
import type { DeepReadonly, JsonObject, KubeObject } from '@periplus/apimachinery';

type FlowSpec = FlowSchema['spec'];
type PolicyRules = NonNullable<FlowSpec['rules']>[number];
type Subject = PolicyRules['subjects'][number];
type ResourceRule = NonNullable<PolicyRules['resourceRules']>[number];

const AUTO_UPDATE = 'apf.kubernetes.io/autoupdate-spec';
const ALL = ['*'];
const LEASES = { apiGroups: ['coordination.k8s.io'], resources: ['leases'] };
const ELECT = ['get', 'create', 'update'];

const user = (name: string): Subject => ({ kind: 'User', user: { name } });
const group = (name: string): Subject => ({ kind: 'Group', group: { name } });
const systemAccount = (name: string): Subject => ({
  kind: 'ServiceAccount',
  serviceAccount: { name, namespace: 'kube-system' },
});
const everythingBy = (...subjects: Subject[]): PolicyRules => ({ ...everythingOf(), subjects });
const resources = (
  verbs: string[],
  what: Pick<ResourceRule, 'apiGroups' | 'resources'>,
  clusterScope = false,
): ResourceRule => ({
  verbs,
  ...what,
  ...(clusterScope && { clusterScope }),
  namespaces: ALL,
});

const flow = (level: string, precedence: number, distinguisher: string | null, rule: PolicyRules): FlowSpec => ({
  priorityLevelConfiguration: { name: level },
  matchingPrecedence: precedence,
  ...(distinguisher && { distinguisherMethod: { type: distinguisher } }),
  rules: [rule],
});

const level = (
  shares: number,
  queues: number,
  handSize: number,
  lendable: number,
): PriorityLevelConfiguration['spec'] => ({
  type: 'Limited',
  limited: {
    nominalConcurrencyShares: shares,
    limitResponse: { type: 'Queue', queuing: { queues, handSize, queueLengthLimit: 50 } },
    lendablePercent: lendable,
  },
});

export const PRIORITY_LEVELS: Readonly<Record<string, PriorityLevelConfiguration['spec']>> = {
  ...MANDATORY_PRIORITY_LEVELS,
  system: level(30, 64, 6, 33),
  'node-high': level(40, 64, 6, 25),
  'leader-election': level(10, 16, 4, 0),
  'workload-high': level(40, 128, 6, 50),
  'workload-low': level(100, 128, 6, 90),
  'global-default': level(20, 128, 6, 50),
};

export const FLOW_SCHEMAS: Readonly<Record<string, FlowSpec>> = {
  ...MANDATORY_FLOW_SCHEMAS,
  probes: flow('exempt', 2, null, {
    subjects: [group('system:unauthenticated'), group('system:authenticated')],
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }],
  }),
  'system-leader-election': flow('leader-election', 100, 'ByUser', {
    subjects: [user('system:kube-controller-manager'), user('system:kube-scheduler'), systemAccount('*')],
    resourceRules: [resources(ELECT, LEASES)],
  }),
  'endpoint-controller': flow('workload-high', 150, 'ByUser', {
    subjects: [
      user('system:kube-controller-manager'),
      systemAccount('endpoint-controller'),
      systemAccount('endpointslicemirroring-controller'),
    ],
    resourceRules: [resources(ELECT, { apiGroups: [''], resources: ['endpoints'] })],
  }),
  'workload-leader-election': flow('leader-election', 200, 'ByUser', {
    subjects: [systemAccount('*')],
    resourceRules: [
      resources(ELECT, { apiGroups: [''], resources: ['endpoints', 'configmaps'] }),
      resources(ELECT, LEASES),
    ],
  }),
  'system-node-high': flow('node-high', 400, 'ByUser', {
    subjects: [group('system:nodes')],
    resourceRules: [
      resources(ALL, { apiGroups: [''], resources: ['nodes', 'nodes/status'] }, true),
      resources(ALL, LEASES),
    ],
  }),
  'system-nodes': flow('system', 500, 'ByUser', everythingBy(group('system:nodes'))),
  'kube-controller-manager': flow(
    'workload-high',
    800,
    'ByNamespace',
    everythingBy(user('system:kube-controller-manager')),
  ),
  'kube-scheduler': flow('workload-high', 800, 'ByNamespace', everythingBy(user('system:kube-scheduler'))),
  'kube-system-service-accounts': flow('workload-high', 900, 'ByNamespace', everythingBy(systemAccount('*'))),
  'service-accounts': flow('workload-low', 9000, 'ByUser', everythingBy(group('system:serviceaccounts'))),
  'global-default': flow(
    'global-default',
    9900,
    'ByUser',
    everythingBy(group('system:unauthenticated'), group('system:authenticated')),
  ),
};

export const flowControlObject = (name: string, spec: object): object =>
  structuredClone({ metadata: { name, annotations: { [AUTO_UPDATE]: 'true' } }, spec });

/** What brings an object of an older release up to date, as a merge patch; null where it is, or shall stay as it is. */
export function outdatedSpec(existing: DeepReadonly<KubeObject>, spec: object): JsonObject | null {
  if (existing.metadata.annotations?.[AUTO_UPDATE] !== 'true') return null;
  if (sameValue((existing as { spec?: unknown }).spec, spec)) return null;
  return structuredClone({ spec }) as JsonObject;
}
