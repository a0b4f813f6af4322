import type { BootstrapBinding, BootstrapRole } from './cluster-roles.ts';
import { events, named, READ, rule } from './rules.ts';

const AUTHENTICATION = 'extension-apiserver-authentication';
const CONTROLLER_MANAGER = 'system:kube-controller-manager';
const SCHEDULER = 'system:kube-scheduler';

/** Where programs that let the api-server's clients in find how to know them. */
export const AUTHENTICATION_CONFIG_MAP = { namespace: 'kube-system', name: AUTHENTICATION };

const leaderLocking = (component: string): BootstrapRole => ({
  namespace: 'kube-system',
  name: `system::leader-locking-${component}`,
  rules: [
    rule(['watch'], '', 'configmaps'),
    named(component, rule(['get', 'update'], '', 'configmaps')),
    rule(['create'], 'coordination.k8s.io', 'leases'),
    named(component, rule(['get', 'update'], 'coordination.k8s.io', 'leases')),
  ],
});

/** Roles of the system's own namespaces. */
export const NAMESPACE_ROLES: readonly BootstrapRole[] = [
  {
    namespace: 'kube-system',
    name: `${AUTHENTICATION}-reader`,
    rules: [named(AUTHENTICATION, rule(READ, '', 'configmaps'))],
  },
  leaderLocking('kube-controller-manager'),
  leaderLocking('kube-scheduler'),
  { namespace: 'kube-system', name: 'system:controller:bootstrap-signer', rules: [rule(READ, '', 'secrets')] },
  {
    namespace: 'kube-system',
    name: 'system:controller:token-cleaner',
    rules: [rule(['delete', ...READ], '', 'secrets'), events],
  },
  {
    namespace: 'kube-public',
    name: 'system:controller:bootstrap-signer',
    rules: [rule(READ, '', 'configmaps'), named('cluster-info', rule(['update'], '', 'configmaps')), events],
  },
];

const account = (name: string) => [{ namespace: 'kube-system', name }];

export const NAMESPACE_BINDINGS: readonly BootstrapBinding[] = [
  {
    namespace: 'kube-system',
    name: `system::${AUTHENTICATION}-reader`,
    role: `${AUTHENTICATION}-reader`,
    users: [CONTROLLER_MANAGER, SCHEDULER],
  },
  {
    namespace: 'kube-system',
    role: 'system::leader-locking-kube-controller-manager',
    users: [CONTROLLER_MANAGER],
    accounts: account('kube-controller-manager'),
  },
  {
    namespace: 'kube-system',
    role: 'system::leader-locking-kube-scheduler',
    users: [SCHEDULER],
    accounts: account('kube-scheduler'),
  },
  ...['kube-system', 'kube-public'].map((namespace) => ({
    namespace,
    role: 'system:controller:bootstrap-signer',
    accounts: account('bootstrap-signer'),
  })),
  { namespace: 'kube-system', role: 'system:controller:token-cleaner', accounts: account('token-cleaner') },
];
