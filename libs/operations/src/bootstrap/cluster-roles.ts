import type { PolicyRule } from '../authorization/policy-rules.ts';
import { CERTIFICATE_ROLES, SIGNER_RULES } from './certificate-roles.ts';
import { events, named, paths, READ, RECORD, rule, WRITE } from './rules.ts';

/** A role that every cluster has. https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings */
export interface BootstrapRole {
  /** Absent for a ClusterRole. */
  namespace?: string;
  name: string;
  rules: PolicyRule[];
  /** Its rules count towards these roles. */
  aggregatedTo?: 'admin' | 'edit' | 'view';
  /** Has the rules of all roles that count towards it. */
  aggregates?: 'admin' | 'edit' | 'view';
}

const reviews = [
  rule(['create'], 'authentication.k8s.io', 'tokenreviews'),
  rule(['create'], 'authorization.k8s.io', 'subjectaccessreviews'),
];

const WORKLOADS = ['daemonsets', 'deployments', 'replicasets', 'statefulsets'];
const withParts = (resources: string[], ...parts: string[]): string[] =>
  resources.flatMap((resource) => [resource, ...parts.map((part) => `${resource}/${part}`)]);

/** For the people who use a namespace. */
const forUsers: readonly BootstrapRole[] = [
  { name: 'admin', rules: [], aggregates: 'admin' },
  { name: 'edit', rules: [], aggregates: 'edit', aggregatedTo: 'admin' },
  { name: 'view', rules: [], aggregates: 'view', aggregatedTo: 'edit' },
  {
    name: 'system:aggregate-to-admin',
    aggregatedTo: 'admin',
    rules: [
      rule(['create'], 'authorization.k8s.io', 'localsubjectaccessreviews'),
      rule([...WRITE, ...READ], 'rbac.authorization.k8s.io', 'rolebindings', 'roles'),
    ],
  },
  {
    name: 'system:aggregate-to-edit',
    aggregatedTo: 'edit',
    rules: [
      rule(READ, '', 'pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy', 'secrets', 'services/proxy'),
      rule(['impersonate'], '', 'serviceaccounts'),
      rule(WRITE, '', ...withParts(['pods'], 'attach', 'exec', 'portforward', 'proxy')),
      rule(['create'], '', 'pods/eviction', 'serviceaccounts/token'),
      rule(
        WRITE,
        '',
        'configmaps',
        'events',
        'persistentvolumeclaims',
        'replicationcontrollers',
        'replicationcontrollers/scale',
        'secrets',
        'serviceaccounts',
        'services',
        'services/proxy',
      ),
      rule(WRITE, 'apps', ...withParts(WORKLOADS.slice(1), 'scale'), 'daemonsets', 'deployments/rollback'),
      rule(WRITE, 'autoscaling', 'horizontalpodautoscalers'),
      rule(WRITE, 'batch', 'cronjobs', 'jobs'),
      rule(WRITE, 'policy', 'poddisruptionbudgets'),
      rule(WRITE, 'networking.k8s.io', 'ingresses', 'networkpolicies'),
      rule([...WRITE, ...READ], 'coordination.k8s.io', 'leases'),
      rule(WRITE, 'resource.k8s.io', 'resourceclaims', 'resourceclaimtemplates'),
    ],
  },
  {
    name: 'system:aggregate-to-view',
    aggregatedTo: 'view',
    rules: [
      rule(
        READ,
        '',
        'bindings',
        'configmaps',
        'endpoints',
        'events',
        'limitranges',
        'namespaces',
        'namespaces/status',
        'persistentvolumeclaims',
        'persistentvolumeclaims/status',
        'pods',
        'pods/log',
        'pods/status',
        'replicationcontrollers',
        'replicationcontrollers/scale',
        'replicationcontrollers/status',
        'resourcequotas',
        'resourcequotas/status',
        'serviceaccounts',
        'services',
        'services/status',
      ),
      rule(READ, 'discovery.k8s.io', 'endpointslices'),
      rule(
        READ,
        'apps',
        'controllerrevisions',
        ...withParts(WORKLOADS, 'status'),
        ...WORKLOADS.slice(1).map((one) => `${one}/scale`),
      ),
      rule(READ, 'autoscaling', ...withParts(['horizontalpodautoscalers'], 'status')),
      rule(READ, 'batch', ...withParts(['cronjobs', 'jobs'], 'status')),
      rule(READ, 'policy', ...withParts(['poddisruptionbudgets'], 'status')),
      rule(READ, 'networking.k8s.io', 'networkpolicies', ...withParts(['ingresses'], 'status')),
      rule(READ, 'resource.k8s.io', ...withParts(['resourceclaims'], 'status'), 'resourceclaimtemplates'),
    ],
  },
  // What metrics-server brings.
  {
    name: 'system:aggregated-metrics-reader',
    aggregatedTo: 'view',
    rules: [rule(READ, 'metrics.k8s.io', 'nodes', 'pods')],
  },
];

/** For everybody who talks to the server at all. */
const forClients: readonly BootstrapRole[] = [
  {
    name: 'system:basic-user',
    rules: [
      rule(['create'], 'authorization.k8s.io', 'selfsubjectaccessreviews', 'selfsubjectrulesreviews'),
      rule(['create'], 'authentication.k8s.io', 'selfsubjectreviews'),
    ],
  },
  {
    name: 'system:discovery',
    rules: [
      paths(
        '/api',
        '/api/*',
        '/apis',
        '/apis/*',
        '/healthz',
        '/livez',
        '/openapi',
        '/openapi/*',
        '/readyz',
        '/version',
        '/version/',
      ),
    ],
  },
  { name: 'system:public-info-viewer', rules: [paths('/healthz', '/livez', '/readyz', '/version', '/version/')] },
  {
    name: 'system:service-account-issuer-discovery',
    rules: [paths('/.well-known/openid-configuration', '/openid/v1/jwks')],
  },
  {
    name: 'system:monitoring',
    rules: [paths('/healthz', '/healthz/*', '/livez', '/livez/*', '/metrics', '/metrics/slis', '/readyz', '/readyz/*')],
  },
  { name: 'system:auth-delegator', rules: reviews },
];

/** For the components of the cluster. */
const forComponents: readonly BootstrapRole[] = [
  {
    // All of our controllers are one program with one identity: the rules are those of Kubernetes' controllers together.
    name: 'system:kube-controller-manager',
    rules: [
      rule([...READ, 'delete', 'deletecollection', 'patch', 'update'], '*', '*'),
      events,
      rule(['create'], '', 'configmaps', 'namespaces', 'pods', 'secrets', 'serviceaccounts', 'serviceaccounts/token'),
      rule(['create'], '', 'endpoints', 'persistentvolumeclaims', 'persistentvolumes', 'pods/eviction'),
      rule(['create'], 'apps', 'controllerrevisions', 'replicasets'),
      rule(['create'], 'batch', 'jobs'),
      rule(['create'], 'coordination.k8s.io', 'leases'),
      rule(['create'], 'discovery.k8s.io', 'endpointslices'),
      rule(['create'], 'networking.k8s.io', 'ipaddresses'),
      rule(['create'], 'resource.k8s.io', 'resourceclaims'),
      rule(['create'], 'storage.k8s.io', 'volumeattachments'),
      rule(['escalate'], 'rbac.authorization.k8s.io', 'clusterroles'),
      ...SIGNER_RULES,
      ...reviews,
    ],
  },
  {
    name: 'system:kube-scheduler',
    rules: [
      events,
      rule(['create'], 'coordination.k8s.io', 'leases'),
      named('kube-scheduler', rule(['get', 'update'], 'coordination.k8s.io', 'leases')),
      rule(
        READ,
        '',
        'namespaces',
        'nodes',
        'persistentvolumeclaims',
        'persistentvolumes',
        'replicationcontrollers',
        'services',
      ),
      rule([...READ, 'delete'], '', 'pods'),
      rule(['create'], '', 'bindings', 'pods/binding'),
      rule(['patch', 'update'], '', 'pods/status'),
      rule(READ, 'apps', 'replicasets', 'statefulsets'),
      rule(READ, 'policy', 'poddisruptionbudgets'),
      rule(READ, 'resource.k8s.io', 'deviceclasses', 'resourceslices'),
      rule([...READ, 'patch', 'update'], 'resource.k8s.io', 'resourceclaims', 'resourceclaims/status'),
      rule(['patch', 'update'], 'resource.k8s.io', 'resourceclaims/binding'),
      rule(READ, 'scheduling.k8s.io', 'podgroups'),
      rule(['create'], 'scheduling.k8s.io', 'podgroups/binding'),
      rule(['patch', 'update'], 'scheduling.k8s.io', 'podgroups/status'),
      rule(READ, 'storage.k8s.io', 'csidrivers', 'csinodes', 'csistoragecapacities'),
      ...reviews,
    ],
  },
  {
    // Nobody is bound to it: the Node authorizer allows nodes what they need. It shows what that is about.
    name: 'system:node',
    rules: [
      ...reviews,
      rule(['create'], 'authorization.k8s.io', 'localsubjectaccessreviews'),
      rule(READ, '', 'configmaps', 'pods', 'secrets', 'services'),
      rule([...READ, ...RECORD], '', 'nodes'),
      rule(['patch', 'update'], '', 'nodes/status', 'pods/status'),
      rule(RECORD, '', 'events'),
      rule(['create', 'delete'], '', 'pods'),
      rule(['create'], '', 'pods/eviction', 'serviceaccounts/token'),
      rule(['get'], '', 'endpoints', 'persistentvolumeclaims', 'persistentvolumes'),
      rule(['get', 'patch', 'update'], '', 'persistentvolumeclaims/status'),
      rule(['create', ...READ], 'certificates.k8s.io', 'certificatesigningrequests'),
      rule(['create', 'delete', 'get', 'patch', 'update'], 'coordination.k8s.io', 'leases'),
      rule(['get'], 'storage.k8s.io', 'volumeattachments'),
      rule(READ, 'storage.k8s.io', 'csidrivers'),
      rule(['create', 'delete', 'get', 'patch', 'update'], 'storage.k8s.io', 'csinodes'),
      rule(READ, 'node.k8s.io', 'runtimeclasses'),
      rule(['get'], 'resource.k8s.io', 'resourceclaims'),
      rule(['deletecollection'], 'resource.k8s.io', 'resourceslices'),
    ],
  },
  {
    name: 'system:node-proxier',
    rules: [
      rule(['list', 'watch'], '', 'endpoints', 'services'),
      rule(READ, '', 'nodes'),
      events,
      rule(['list', 'watch'], 'discovery.k8s.io', 'endpointslices'),
    ],
  },
  { name: 'system:kube-dns', rules: [rule(['list', 'watch'], '', 'endpoints', 'services')] },
  { name: 'system:kube-aggregator', rules: [rule(READ, '', 'endpoints', 'services')] },
  {
    name: 'system:node-problem-detector',
    rules: [rule(['get'], '', 'nodes'), rule(['patch'], '', 'nodes/status'), events],
  },
  {
    name: 'system:persistent-volume-provisioner',
    rules: [
      rule(['create', 'delete', ...READ], '', 'persistentvolumes'),
      rule([...READ, 'update'], '', 'persistentvolumeclaims'),
      rule(READ, 'storage.k8s.io', 'storageclasses'),
      rule(['watch'], '', 'events'),
      events,
    ],
  },
  {
    name: 'system:volume-scheduler',
    rules: [
      rule([...READ, 'patch', 'update'], '', 'persistentvolumeclaims', 'persistentvolumes'),
      rule(READ, 'storage.k8s.io', 'storageclasses'),
    ],
  },
  {
    name: 'system:heapster',
    rules: [rule(READ, '', 'events', 'namespaces', 'nodes', 'pods'), rule(READ, 'extensions', 'deployments')],
  },
  {
    name: 'system:kubelet-api-admin',
    rules: [
      rule([...READ, 'proxy'], '', 'nodes'),
      rule(
        ['*'],
        '',
        ...withParts(['nodes'], 'configz', 'healthz', 'log', 'metrics', 'pods', 'proxy', 'stats').slice(1),
      ),
    ],
  },
];

export const BOOTSTRAP_ROLES: readonly BootstrapRole[] = [
  {
    name: 'cluster-admin',
    rules: [rule(['*'], '*', '*'), { verbs: ['*'], nonResourceURLs: ['*'] }],
  },
  ...forUsers,
  ...forClients,
  ...forComponents,
  ...CERTIFICATE_ROLES,
];

export interface BootstrapBinding {
  /** Absent for a ClusterRoleBinding. */
  namespace?: string;
  /** That of its role when absent. */
  name?: string;
  role: string;
  groups?: string[];
  users?: string[];
  accounts?: { namespace: string; name: string }[];
}

export const BOOTSTRAP_BINDINGS: readonly BootstrapBinding[] = [
  { role: 'cluster-admin', groups: ['system:masters'] },
  { role: 'system:basic-user', groups: ['system:authenticated'] },
  { role: 'system:discovery', groups: ['system:authenticated'] },
  { role: 'system:public-info-viewer', groups: ['system:authenticated', 'system:unauthenticated'] },
  { role: 'system:service-account-issuer-discovery', groups: ['system:serviceaccounts'] },
  { role: 'system:monitoring', groups: ['system:monitoring'] },
  { role: 'system:kube-controller-manager', users: ['system:kube-controller-manager'] },
  { role: 'system:kube-scheduler', users: ['system:kube-scheduler'] },
  { role: 'system:volume-scheduler', users: ['system:kube-scheduler'] },
  { role: 'system:kube-dns', accounts: [{ namespace: 'kube-system', name: 'kube-dns' }] },
  { role: 'system:node' },
  { role: 'system:node-proxier', users: ['system:kube-proxy'] },
];
