import type { Attributes, Decision } from '../types.ts';
import { allowedNames, type PolicyRule } from './policy-rules.ts';

const LEASE_NAMESPACE = 'kube-node-lease';
export const READ = ['get', 'list', 'watch'];

export const ALLOWED: Decision = { allowed: true, reason: '' };
export const refused = (reason = ''): Decision => ({ allowed: false, reason });

/** What every node may do, whatever runs on it. */
const NODE_RULES: readonly PolicyRule[] = [
  { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'] },
  {
    verbs: ['create'],
    apiGroups: ['authorization.k8s.io'],
    resources: ['subjectaccessreviews', 'localsubjectaccessreviews'],
  },
  { verbs: READ, apiGroups: [''], resources: ['services'] },
  { verbs: READ, apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'] },
  { verbs: READ, apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'] },
  { verbs: READ, apiGroups: ['node.k8s.io'], resources: ['runtimeclasses'] },
  { verbs: READ, apiGroups: ['storage.k8s.io'], resources: ['csidrivers'] },
  { verbs: ['get'], apiGroups: [''], resources: ['endpoints'] },
  { verbs: ['create', 'update', 'patch'], apiGroups: ['', 'events.k8s.io'], resources: ['events'] },
  {
    verbs: ['create', ...READ],
    apiGroups: ['certificates.k8s.io'],
    resources: ['certificatesigningrequests'],
  },
];

/** What a node may do of which its own name decides, or nothing. */
export function decideByName(node: string, asked: Attributes): Decision {
  switch (`${asked.group}/${asked.resource}`) {
    case 'coordination.k8s.io/leases':
      return leases(node, asked);
    case 'storage.k8s.io/csinodes':
      return csiNodes(node, asked);
    case '/nodes':
      return nodes(node, asked);
    default:
      return allowedNames(NODE_RULES, asked) === 'all' ? ALLOWED : refused();
  }
}

function csiNodes(node: string, asked: Attributes): Decision {
  if (!['get', 'create', 'update', 'patch', 'delete'].includes(asked.verb)) {
    return refused('can only get, create, update, patch, or delete a CSINode');
  }
  if (asked.subresource) return refused('cannot authorize CSINode subresources');
  // The name of what is created stands in the object, which admission checks.
  if (asked.verb !== 'create' && asked.name !== node) {
    return refused('can only access CSINode with the same name as the requesting node');
  }
  return ALLOWED;
}

function leases(node: string, asked: Attributes): Decision {
  if (!['get', 'create', 'update', 'patch', 'delete'].includes(asked.verb)) {
    return refused('can only get, create, update, patch, or delete a node lease');
  }
  if (asked.namespace !== LEASE_NAMESPACE) {
    return refused(`can only access leases in the ${JSON.stringify(LEASE_NAMESPACE)} system namespace`);
  }
  // The name of what is created stands in the object, which admission checks.
  if (asked.verb !== 'create' && asked.name !== node) {
    return refused('can only access node lease with the same name as the requesting node');
  }
  return ALLOWED;
}

function nodes(node: string, asked: Attributes): Decision {
  if (asked.subresource === 'status') return asked.verb === 'update' || asked.verb === 'patch' ? ALLOWED : refused();
  if (asked.subresource) return refused();
  if (READ.includes(asked.verb)) {
    if (asked.name === node) return ALLOWED;
    if (!asked.name) return refused(`node '${node}' cannot read all nodes, only its own Node object`);
    return refused(`node '${node}' cannot read '${asked.name}', only its own Node object`);
  }
  return ['create', 'update', 'patch'].includes(asked.verb) ? ALLOWED : refused();
}
