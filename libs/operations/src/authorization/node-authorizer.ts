import type { Pod } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import type { Attributes, Decision, User } from '../types.ts';
import { references } from './pod-references.ts';
import { allowedNames, type PolicyRule } from './policy-rules.ts';

const NODE_USER_PREFIX = 'system:node:';
const NODES_GROUP = 'system:nodes';
const LEASE_NAMESPACE = 'kube-node-lease';
const READ = ['get', 'list', 'watch'];

const ALLOWED: Decision = { allowed: true, reason: '' };
const refused = (reason = ''): Decision => ({ allowed: false, reason });

/** The name of the node that `user` is; undefined for everybody else. */
export const nodeNameOf = (user: User): string | undefined =>
  user.name.startsWith(NODE_USER_PREFIX) && user.groups.includes(NODES_GROUP)
    ? user.name.slice(NODE_USER_PREFIX.length)
    : undefined;

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
  { verbs: ['create', 'update', 'patch'], apiGroups: ['', 'events.k8s.io'], resources: ['events'] },
  {
    verbs: ['create', ...READ],
    apiGroups: ['certificates.k8s.io'],
    resources: ['certificatesigningrequests'],
  },
];

/**
 * Limits a node to what its own pods need. What an object says (a create's nodeName) is checked by the admission
 * `node-restriction.ts`. https://kubernetes.io/docs/reference/access-authn-authz/node/
 */
export class NodeAuthorizer {
  private readonly podsOn: (node: string) => Iterable<DeepReadonly<Pod>>;

  constructor(podsOn: (node: string) => Iterable<DeepReadonly<Pod>>) {
    this.podsOn = podsOn;
  }

  decide(node: string, asked: Attributes): Decision {
    if (asked.isResource) {
      switch (`${asked.group}/${asked.resource}`) {
        case '/secrets':
          return this.read(node, asked, (pod) => references(pod, 'secret', asked.name));
        case '/configmaps':
          return this.read(node, asked, (pod) => references(pod, 'configMap', asked.name));
        case '/serviceaccounts':
          return this.token(node, asked);
        case 'coordination.k8s.io/leases':
          return lease(node, asked);
        case '/nodes':
          return nodes(node, asked);
        case '/pods':
          return this.pods(node, asked);
      }
    }
    return asked.isResource && allowedNames(NODE_RULES, asked) === 'all' ? ALLOWED : refused();
  }

  private read(node: string, asked: Attributes, needs: (pod: DeepReadonly<Pod>) => boolean): Decision {
    if (!READ.includes(asked.verb)) return refused('can only read resources of this type');
    if (asked.subresource) return refused('cannot read subresource');
    if (!asked.namespace) return refused('can only read namespaced object of this type');
    return this.related(node, asked, needs);
  }

  private related(node: string, asked: Attributes, needs: (pod: DeepReadonly<Pod>) => boolean): Decision {
    if (!asked.name) return refused('No Object name found');
    for (const pod of this.podsOn(node)) {
      if (pod.metadata.namespace === asked.namespace && needs(pod)) return ALLOWED;
    }
    return refused(`no relationship found between node '${node}' and this object`);
  }

  private token(node: string, asked: Attributes): Decision {
    if (asked.verb !== 'create' || !asked.name) {
      return refused('can only create tokens for individual service accounts');
    }
    if (asked.subresource !== 'token') return refused('can only create token subresource of serviceaccount');
    return this.related(node, asked, (pod) => pod.spec.serviceAccountName === asked.name);
  }

  private pods(node: string, asked: Attributes): Decision {
    const what = asked.subresource ? `${asked.verb} ${asked.subresource}` : asked.verb;
    switch (what) {
      case 'get':
        return this.related(node, asked, (pod) => pod.metadata.name === asked.name);
      case 'list':
      case 'watch':
        if (asked.fieldSelector?.exactValueOf('spec.nodeName') === node) return ALLOWED;
        if (asked.name) return this.related(node, asked, (pod) => pod.metadata.name === asked.name);
        return refused('can only list/watch pods with spec.nodeName field selector');
      case 'create':
      case 'delete':
      case 'update status':
      case 'patch status':
      case 'create eviction':
        return ALLOWED;
      default:
        return refused();
    }
  }
}

function lease(node: string, asked: Attributes): Decision {
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
