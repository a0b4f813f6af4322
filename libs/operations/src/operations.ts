import {
  binding,
  clusterRole,
  componentStatus,
  type Kind,
  nodeMetrics,
  podGroup,
  podMetrics,
  role,
} from '@periplus/api';
import { methodNotSupported, pathNotFound } from '@periplus/apimachinery';
import type { Store } from '@periplus/store';
import { AdmissionChain } from './admission/admission.ts';
import { certificateApproval, certificateRequests, certificateSigning } from './admission/certificate-requests.ts';
import { claimResize } from './admission/claim-resize.ts';
import { claimStatusAccess } from './admission/claim-status-access.ts';
import { defaultIngressClass, defaultStorageClass } from './admission/default-classes.ts';
import { defaultTolerations } from './admission/default-tolerations.ts';
import { deviceAdminAccess } from './admission/device-admin-access.ts';
import { deviceTaintTimes } from './admission/device-taint-times.ts';
import { limitRanger } from './admission/limit-ranger.ts';
import { namespaceLifecycle } from './admission/namespace-lifecycle.ts';
import { nodeRestriction } from './admission/node-restriction.ts';
import { podSecurity } from './admission/pod-security.ts';
import { priority } from './admission/priority.ts';
import { rbacEscalation } from './admission/rbac-escalation.ts';
import { runtimeClassAdmission } from './admission/runtime-class.ts';
import { serviceAccountAdmission } from './admission/service-account.ts';
import { storageProtection } from './admission/storage-protection.ts';
import { taintNewNodes } from './admission/taint-new-nodes.ts';
import { topologyLabels } from './admission/topology-labels.ts';
import type { ServiceAccountTokens } from './authentication/service-account-tokens.ts';
import { attributesOf } from './authorization/attributes.ts';
import type { ClusterAuthorizer } from './authorization/authorizer.ts';
import { forbiddenRequest } from './authorization/forbidden.ts';
import { type CacheReader, ClusterState, namedResource } from './cluster-state.ts';
import { type Component, componentStatuses } from './components/component-statuses.ts';
import type { NodeUsageSource } from './metrics/node-usage.ts';
import { ResourceMetrics } from './metrics/resource-metrics.ts';
import { Quotas } from './quota/quotas.ts';
import type { Observed } from './reading/observed.ts';
import { getObject, listObjects } from './reading/read.ts';
import { parseSelection, type Selection } from './reading/selection.ts';
import { answerReview } from './reviews/review.ts';
import { bindNamedPod, bindPod } from './subresources/binding.ts';
import { evictPod } from './subresources/eviction.ts';
import { bindPodGroup } from './subresources/group-binding.ts';
import { patchScale, scaleResult, updateScale } from './subresources/scale.ts';
import { requestToken } from './subresources/token-request.ts';
import { keepTokenSecrets } from './token-secrets/token-secrets.ts';
import type { Authenticator, ListOptions, Operations, RequestContext, Target } from './types.ts';
import { WatchFanOut } from './watching/fan-out.ts';
import { openWatch } from './watching/open-watch.ts';
import { type ApplyAllDeps, applyAll } from './writing/apply-all.ts';
import { Committer } from './writing/committer.ts';
import { createObject, type WriteDeps } from './writing/create.ts';
import { deleteObject } from './writing/delete.ts';
import { deleteCollection } from './writing/delete-collection.ts';
import { keepEventsShort } from './writing/event-retention.ts';
import { patchObject } from './writing/patch.ts';
import type { ServiceNetwork } from './writing/service-network.ts';
import { Turns } from './writing/turns.ts';
import { updateObject } from './writing/update.ts';

export interface OperationsDeps {
  /** Opened with `cacheIndexes`, and started. */
  cache: CacheReader;
  store: Store;
  authorizer: ClusterAuthorizer;
  /** For reviews of tokens. */
  authenticator: Pick<Authenticator, 'review'>;
  /** Null: no tokens are issued. */
  tokens: ServiceAccountTokens | null;
  /** PEM: what clients check this server against; goes into Secrets with tokens. */
  rootCa: Buffer;
  network: ServiceNetwork;
  /** What ComponentStatuses tell of. */
  components: readonly Component[];
  /** What nodes use, for the metrics API. */
  nodeUsage: NodeUsageSource;
}

/**
 * The admission controllers in kube-apiserver's order. Mutating admission goes through the list before an object is
 * validated, validating admission once more after it. Quotas come last of all, with the commit.
 * https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#admission-control-phases
 */
const admissionChain = (cluster: ClusterState, authorizer: ClusterAuthorizer): AdmissionChain =>
  new AdmissionChain([
    namespaceLifecycle(cluster),
    limitRanger(cluster),
    serviceAccountAdmission(cluster),
    nodeRestriction(cluster),
    taintNewNodes,
    deviceTaintTimes,
    deviceAdminAccess(cluster),
    claimStatusAccess(authorizer),
    podSecurity(cluster),
    priority(cluster),
    defaultTolerations,
    defaultStorageClass(cluster),
    storageProtection,
    claimResize(cluster),
    runtimeClassAdmission(cluster),
    certificateApproval(authorizer),
    certificateSigning(authorizer),
    certificateRequests,
    defaultIngressClass(cluster),
    topologyLabels(cluster),
    rbacEscalation(authorizer),
  ]);

/** The rules of a role that a transaction may only be about to make. */
function rulesIn(staged: ClusterState, kind: string, namespace: string, name: string) {
  const found = kind === 'Role' ? staged.object(role, namespace, name) : staged.object(clusterRole, '', name);
  return found && (found.rules ?? []);
}

const checkVerb = ({ kind }: Target, verb: string): void => {
  if (!kind.verbs.includes(verb)) throw methodNotSupported(namedResource(kind), verb);
};

/** Which parts of an object have an address of their own. */
function checkSubresource({ kind, subresource }: Target, ...own: readonly string[]): void {
  if (subresource === '' || own.includes(subresource)) return;
  if (subresource === 'status' && kind.hasStatus) return;
  if (subresource === 'scale' && kind.scale) return;
  if (Object.hasOwn(kind.parts, subresource)) return;
  throw pathNotFound();
}

const isNamespace = ({ kind }: Target): boolean => kind.group === '' && kind.plural === 'namespaces';

/** Who may do what, asked before anything else happens. */
interface Access {
  authorize: Operations['authorize'];
  authorizeTarget(context: RequestContext, target: Target, verb: string): void;
  /** What a request for many objects is about. Who may not ask learns nothing but that, whatever he asks. */
  select(context: RequestContext, target: Target, verb: string, options: ListOptions): Selection;
}

function accessOf(authorizer: ClusterAuthorizer): Access {
  const authorize: Operations['authorize'] = (user, attributes) => {
    const { allowed, reason } = authorizer.decide(user, attributes);
    if (!allowed) throw forbiddenRequest(user, attributes, reason);
  };
  return {
    authorize,
    authorizeTarget: (context, target, verb) => authorize(context.user, attributesOf(target, verb)),
    select(context, target, verb, { labelSelector, fieldSelector }) {
      let selection: Selection | undefined;
      let problem: unknown;
      try {
        selection = parseSelection(target.kind, labelSelector, fieldSelector);
      } catch (error) {
        problem = error;
      }
      authorize(context.user, attributesOf(target, verb, selection?.fields));
      if (!selection) throw problem;
      checkVerb(target, verb);
      return selection;
    },
  };
}

type Reads = Pick<Operations, 'lookup' | 'get' | 'list' | 'watch'>;

const readsOf = (
  { authorizeTarget, select }: Access,
  cluster: ClusterState,
  fanOut: WatchFanOut,
  observed: ReadonlyMap<Kind, Observed>,
): Reads => ({
  lookup: (target) => getObject(cluster, target, ''),

  async get(context, target, { resourceVersion = '' }) {
    authorizeTarget(context, target, 'get');
    checkSubresource(target);
    checkVerb(target, 'get');
    const source = observed.get(target.kind);
    if (source) return source.get(target);
    const result = await getObject(cluster, target, resourceVersion);
    return target.subresource === 'scale' ? scaleResult(target.kind, result) : result;
  },

  async list(context, target, options) {
    const selection = select(context, target, 'list', options);
    const source = observed.get(target.kind);
    if (source) return source.list(target, selection);
    return listObjects(cluster, target, selection, options);
  },

  async watch(context, target, options, encoding, sink) {
    const selection = select(context, target, 'watch', options);
    return openWatch({ cluster, fanOut }, target, selection, options, encoding, sink);
  },
});

type Writes = Pick<Operations, 'create' | 'update' | 'patch' | 'delete' | 'deleteCollection'>;

const writesOf = ({ select }: Access, write: WriteDeps, deps: OperationsDeps): Writes => ({
  async create(context, target, body) {
    switch (target.subresource) {
      case '':
        checkVerb(target, 'create');
        if (target.kind === (binding as unknown)) return bindNamedPod(write, context, target, body);
        if (!target.kind.isStored) return answerReview(deps, write, context, target, body);
        return createObject(write, context, target, body);
      case 'binding':
        if (target.kind === (podGroup as unknown))
          return bindPodGroup({ ...write, store: deps.store }, context, target, body);
        return bindPod(write, context, target, body);
      case 'eviction':
        return evictPod(write, context, target, body);
      case 'token':
        return requestToken(write, deps.tokens, context, target, body);
      default:
        throw pathNotFound();
    }
  },

  async update(context, target, body, only = {}) {
    checkSubresource(target, ...(isNamespace(target) ? ['finalize'] : []));
    if (target.subresource === 'scale') return updateScale(write, context, target, body, only);
    if (target.subresource === '') checkVerb(target, 'update');
    return updateObject(write, context, target, body, only);
  },

  async patch(context, target, patch, only = {}) {
    checkSubresource(target);
    if (target.subresource === 'scale') return patchScale(write, context, target, patch, only);
    if (target.subresource === '') checkVerb(target, 'patch');
    return patchObject(write, context, target, patch, only);
  },

  async delete(context, target, options, disruption) {
    checkVerb(target, 'delete');
    return deleteObject(write, context, target, options, disruption);
  },

  async deleteCollection(context, target, list, options) {
    const selection = select(context, target, 'deletecollection', list);
    return deleteCollection(write, context, target, selection, { list, delete: options });
  },
});

/** Puts the core together. */
export function createOperations(deps: OperationsDeps): Operations {
  const { cache, store, authorizer, network, tokens, rootCa, components, nodeUsage } = deps;
  const cluster = new ClusterState(cache);
  const fanOut = new WatchFanOut(cache);
  const metrics = new ResourceMetrics({ cluster, source: nodeUsage, now: Date.now });
  const observed = new Map<Kind, Observed>([
    [componentStatus, componentStatuses(components)],
    [nodeMetrics, metrics],
    [podMetrics, metrics],
  ]);
  const access = accessOf(authorizer);
  const committer = new Committer(cluster, store, new Quotas({ cluster, store, now: Date.now }));
  const write: WriteDeps = {
    ...{ cluster, committer },
    turns: new Turns(cluster),
    admission: admissionChain(cluster, authorizer),
    allocation: { network, cluster, random: Math.random },
    authorize: access.authorizeTarget,
  };
  const together: ApplyAllDeps = {
    ...{ write, store, quotas: committer },
    admissionOn: (staged) => admissionChain(staged, { ...authorizer, roleRules: (...of) => rulesIn(staged, ...of) }),
  };
  const stopSweeping = keepEventsShort(cluster, store);
  const writes = writesOf(access, write, deps);
  const stopFilling = tokens && keepTokenSecrets({ cluster, operations: writes, tokens, rootCa });
  return {
    authorize: access.authorize,
    ...readsOf(access, cluster, fanOut, observed),
    ...writes,
    async applyAll(context, objects, force) {
      for (const { target } of objects) checkVerb(target, 'patch');
      return applyAll(together, context, objects, force);
    },
    close() {
      stopSweeping();
      stopFilling?.();
      fanOut.close();
    },
  };
}
