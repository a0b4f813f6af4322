/**
 * A role for each of Kubernetes' controllers, and an account that has it: for those who run one of them by itself. Ours
 * are one program, which has the rules of all. https://kubernetes.io/docs/reference/access-authn-authz/rbac/#controller-roles
 */
import { TOKEN_TRACKING } from '@periplus/api';
import type { PolicyRule } from '../authorization/policy-rules.ts';
import { SIGNER_RULES } from './certificate-roles.ts';
import type { BootstrapBinding, BootstrapRole } from './cluster-roles.ts';
import { events, named, READ, rule } from './rules.ts';

const PREFIX = 'system:controller:';
const SEE = ['list', 'watch'];
const MANAGE = ['create', 'delete', ...READ, 'update'];
const CLAIMS = 'persistentvolumeclaims';
const VOLUMES = 'persistentvolumes';

/** To make pods, and to take them over. */
const managesPods = rule(['create', 'delete', 'list', 'patch', 'watch'], '', 'pods');

/** What a controller of `resources` needs of them: to see them, to say how they are, and to own what it makes. */
const controls = (group: string, resources: string, ...more: string[]): PolicyRule[] => [
  rule([...READ, ...more], group, resources),
  rule(['update'], group, `${resources}/status`),
  rule(['update'], group, `${resources}/finalizers`),
];

const workloads: Record<string, PolicyRule[]> = {
  'cronjob-controller': [
    ...controls('batch', 'cronjobs', 'update'),
    rule([...MANAGE, 'patch'], 'batch', 'jobs'),
    rule(['delete', 'list', 'watch'], '', 'pods'),
    events,
  ],
  'daemon-set-controller': [
    ...controls('apps', 'daemonsets'),
    rule(SEE, '', 'nodes'),
    managesPods,
    rule(['create'], '', 'pods/binding'),
    rule([...MANAGE, 'patch'], 'apps', 'controllerrevisions'),
    events,
  ],
  'deployment-controller': [
    ...controls('apps', 'deployments', 'update'),
    rule([...MANAGE, 'patch'], 'apps', 'replicasets'),
    rule([...READ, 'update'], '', 'pods'),
    events,
  ],
  'disruption-controller': [
    rule(READ, 'apps', 'deployments', 'replicasets', 'statefulsets'),
    rule(READ, '', 'replicationcontrollers'),
    rule(READ, 'policy', 'poddisruptionbudgets'),
    rule(['update'], 'policy', 'poddisruptionbudgets/status'),
    rule(['patch', 'update'], '', 'pods/status'),
    rule(['get'], '*', '*/scale'),
    events,
  ],
  'horizontal-pod-autoscaler': [
    rule(READ, 'autoscaling', 'horizontalpodautoscalers'),
    rule(['update'], 'autoscaling', 'horizontalpodautoscalers/status'),
    rule(['get', 'update'], '*', '*/scale'),
    rule(SEE, '', 'pods'),
    rule(['list'], 'metrics.k8s.io', 'pods'),
    rule(READ, ['custom.metrics.k8s.io', 'external.metrics.k8s.io'], '*'),
    events,
  ],
  'job-controller': [...controls('batch', 'jobs', 'patch', 'update'), managesPods, events],
  'replicaset-controller': [...controls('apps', 'replicasets', 'update'), managesPods, events],
  'replication-controller': [...controls('', 'replicationcontrollers', 'update'), managesPods, events],
  'statefulset-controller': [
    ...controls('apps', 'statefulsets'),
    rule([...MANAGE, 'patch'], '', 'pods'),
    rule(['update'], '', 'pods/finalizers'),
    rule([...MANAGE, 'patch'], 'apps', 'controllerrevisions'),
    rule(MANAGE, '', CLAIMS),
    events,
  ],
  'ttl-after-finished-controller': [rule(['delete', ...READ], 'batch', 'jobs'), events],
};

const storage: Record<string, PolicyRule[]> = {
  'attachdetach-controller': [
    rule(SEE, '', CLAIMS, VOLUMES, 'pods'),
    rule(READ, '', 'nodes'),
    rule(['patch', 'update'], '', 'nodes/status'),
    rule(['create', 'delete', ...READ], 'storage.k8s.io', 'volumeattachments'),
    rule(READ, 'storage.k8s.io', 'csidrivers', 'csinodes'),
    events,
  ],
  'ephemeral-volume-controller': [
    rule(READ, '', 'pods'),
    rule(['update'], '', 'pods/finalizers'),
    rule(['create', ...READ], '', CLAIMS),
    events,
  ],
  'expand-controller': [
    rule([...READ, 'patch', 'update'], '', VOLUMES),
    rule(['patch', 'update'], '', `${CLAIMS}/status`),
    rule(READ, '', CLAIMS),
    events,
  ],
  'persistent-volume-binder': [
    rule(MANAGE, '', VOLUMES),
    rule([...READ, 'update'], '', CLAIMS),
    rule(['update'], '', `${CLAIMS}/status`, `${VOLUMES}/status`),
    rule(['create', 'delete', ...READ], '', 'pods'),
    rule(READ, 'storage.k8s.io', 'storageclasses'),
    rule(SEE, '', 'nodes'),
    rule(['watch'], '', 'events'),
    events,
  ],
  'pv-protection-controller': [rule([...READ, 'update'], '', VOLUMES), events],
  'pvc-protection-controller': [rule([...READ, 'update'], '', CLAIMS), rule(READ, '', 'pods'), events],
  'volumeattributesclass-protection-controller': [
    rule(READ, '', CLAIMS, VOLUMES),
    rule([...READ, 'update'], 'storage.k8s.io', 'volumeattributesclasses'),
    events,
  ],
};

const devices: Record<string, PolicyRule[]> = {
  'device-taint-eviction-controller': [
    rule(['delete', ...READ], '', 'pods'),
    rule(['patch', 'update'], '', 'pods/status'),
    rule(READ, 'resource.k8s.io', 'deviceclasses', 'resourceclaims', 'resourceslices'),
    events,
  ],
  'resource-claim-controller': [
    rule(READ, '', 'pods'),
    rule(['update'], '', 'pods/finalizers'),
    rule(['create', 'delete', ...READ, 'patch', 'update'], 'resource.k8s.io', 'resourceclaims'),
    rule(['patch', 'update'], 'resource.k8s.io', 'resourceclaims/binding', 'resourceclaims/status'),
    rule(['patch', 'update'], '', 'pods/status'),
    events,
  ],
};

const network: Record<string, PolicyRule[]> = {
  'endpoint-controller': [
    rule(READ, '', 'pods', 'services'),
    rule(MANAGE, '', 'endpoints'),
    rule(['create'], '', 'endpoints/restricted'),
    events,
  ],
  'endpointslice-controller': [
    rule(READ, '', 'nodes', 'pods', 'services'),
    rule(['update'], '', 'services/finalizers'),
    rule(MANAGE, 'discovery.k8s.io', 'endpointslices'),
    events,
  ],
  'endpointslicemirroring-controller': [
    rule(READ, '', 'endpoints', 'services'),
    rule(['update'], '', 'endpoints/finalizers', 'services/finalizers'),
    rule(MANAGE, 'discovery.k8s.io', 'endpointslices'),
    events,
  ],
  'route-controller': [rule(SEE, '', 'nodes'), rule(['patch'], '', 'nodes/status'), events],
  'service-cidrs-controller': [
    rule([...READ, 'patch', 'update'], 'networking.k8s.io', 'servicecidrs'),
    rule(['patch', 'update'], 'networking.k8s.io', 'servicecidrs/finalizers', 'servicecidrs/status'),
    rule(READ, 'networking.k8s.io', 'ipaddresses'),
    events,
  ],
  'service-controller': [
    rule(READ, '', 'services'),
    rule(['patch', 'update'], '', 'services/status'),
    rule(SEE, '', 'nodes'),
    events,
  ],
};

const cluster: Record<string, PolicyRule[]> = {
  'certificate-controller': [
    rule(['delete', ...READ], 'certificates.k8s.io', 'certificatesigningrequests'),
    rule(['update'], 'certificates.k8s.io', 'certificatesigningrequests/approval', 'certificatesigningrequests/status'),
    ...SIGNER_RULES,
    rule(['create'], 'authorization.k8s.io', 'subjectaccessreviews'),
    events,
  ],
  'clusterrole-aggregation-controller': [
    rule(['escalate', ...READ, 'patch', 'update'], 'rbac.authorization.k8s.io', 'clusterroles'),
  ],
  'generic-garbage-collector': [rule(['delete', ...READ, 'patch', 'update'], '*', '*'), events],
  'legacy-service-account-token-cleaner': [
    named(TOKEN_TRACKING.name, rule(['get'], '', 'configmaps')),
    rule(['delete', 'patch'], '', 'secrets'),
  ],
  'namespace-controller': [
    rule(['delete', ...READ], '', 'namespaces'),
    rule(['update'], '', 'namespaces/finalize', 'namespaces/status'),
    rule(['delete', 'deletecollection', ...READ], '*', '*'),
  ],
  'node-controller': [
    rule(['delete', ...READ, 'patch', 'update'], '', 'nodes'),
    rule(['patch', 'update'], '', 'nodes/status', 'pods/status'),
    rule(['delete', ...READ], '', 'pods'),
    events,
  ],
  'pod-garbage-collector': [
    rule(['delete', 'list', 'watch'], '', 'pods'),
    rule(READ, '', 'nodes'),
    rule(['patch'], '', 'pods/status'),
  ],
  'resourcequota-controller': [rule(SEE, '*', '*'), rule(['update'], '', 'resourcequotas/status'), events],
  'root-ca-cert-publisher': [rule(['create', 'update'], '', 'configmaps'), events],
  'service-account-controller': [rule(['create'], '', 'serviceaccounts'), events],
  'ttl-controller': [rule(['list', 'patch', 'update', 'watch'], '', 'nodes'), events],
};

const controllers = Object.entries({ ...workloads, ...storage, ...devices, ...network, ...cluster });

export const CONTROLLER_ROLES: readonly BootstrapRole[] = controllers.map(([name, rules]) => ({
  name: `${PREFIX}${name}`,
  rules,
}));

export const CONTROLLER_BINDINGS: readonly BootstrapBinding[] = controllers.map(([name]) => ({
  role: `${PREFIX}${name}`,
  accounts: [{ namespace: 'kube-system', name }],
}));
