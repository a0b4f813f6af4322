import {
  csiNode,
  type Lease,
  lease,
  type Node,
  node as nodeKind,
  type Pod,
  persistentVolume,
  persistentVolumeClaim,
  pod,
  type ResourceSlice,
  referencesAny,
  resourceSlice,
  serviceAccount,
} from '@periplus/api';
import { type DeepReadonly, deepEqual, type KubeObject, notFound } from '@periplus/apimachinery';
import { MIRROR_ANNOTATION, nodeNameOf } from '../authorization/node-authorizer.ts';
import type { ClusterState } from '../cluster-state.ts';
import { type Admission, type AdmissionRequest, refused } from './admission.ts';
import { admitClaim, admitCsiNode, admitVolume } from './node-volumes.ts';

const quoted = JSON.stringify;
const LEASE_NAMESPACE = 'kube-node-lease';
/** Labels of Kubernetes that a node may give itself. https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction */
const OWN_LABELS = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/arch',
  'kubernetes.io/os',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/os',
]);
const OWN_LABEL_SPACES = ['kubelet.kubernetes.io', 'node.kubernetes.io'];
const RESTRICTED_SPACE = 'node-restriction.kubernetes.io';

const isWithin = (space: string, parent: string): boolean => space === parent || space.endsWith(`.${parent}`);

function mayLabel(key: string): boolean {
  const slash = key.indexOf('/');
  const space = slash === -1 ? '' : key.slice(0, slash);
  if (isWithin(space, RESTRICTED_SPACE)) return false;
  if (!isWithin(space, 'kubernetes.io') && !isWithin(space, 'k8s.io')) return true;
  return OWN_LABELS.has(key) || OWN_LABEL_SPACES.some((own) => isWithin(space, own));
}

type Labels = Readonly<Record<string, string>> | undefined;

/** Labels that differ and that are not a node's to decide. */
function forbiddenLabels(now: Labels, old: Labels): string[] {
  const keys = new Set([...Object.keys(now ?? {}), ...Object.keys(old ?? {})]);
  return [...keys].filter((key) => now?.[key] !== old?.[key] && !mayLabel(key)).sort();
}

function admitNode(request: AdmissionRequest, own: string): void {
  const { operation, name } = request;
  if (name !== own) throw refused(request, `node ${quoted(own)} is not allowed to modify node ${quoted(name)}`);
  if (operation === 'delete') return;
  const object = request.object as Node;
  const old = request.old as DeepReadonly<Node> | null;
  const labels = forbiddenLabels(object.metadata.labels, old?.metadata.labels);
  if (old === null) {
    if (labels.length > 0) {
      const why = `node ${quoted(own)} is not allowed to set the following labels: ${labels.join(', ')}`;
      throw refused(request, why);
    }
    return;
  }
  if (!deepEqual(object.spec?.taints ?? [], old.spec?.taints ?? [])) {
    throw refused(request, `node ${quoted(own)} is not allowed to modify taints`);
  }
  if (labels.length > 0) throw refused(request, `is not allowed to modify labels: ${labels.join(', ')}`);
}

function admitPodStatus(request: AdmissionRequest, own: string): void {
  const old = request.old as DeepReadonly<Pod> | null;
  if (request.operation !== 'update' || !old)
    throw refused(request, `unexpected operation ${quoted(request.operation.toUpperCase())}`);
  if (old.spec.nodeName !== own) {
    const why = `node ${quoted(own)} can only update pod status for pods with spec.nodeName set to itself`;
    throw refused(request, why);
  }
  if (!deepEqual(old.metadata.labels ?? {}, request.object?.metadata.labels ?? {})) {
    throw refused(request, `node ${quoted(own)} cannot update labels through pod status`);
  }
  checkClaims(request, own, old.status, (request.object as Pod).status);
}

type Status = DeepReadonly<Pod['status']>;

/** They tell which ResourceClaims the node may read, so it may not say so itself. The words are Kubernetes'. */
function checkClaims(request: AdmissionRequest, own: string, old: Status, now: Status): void {
  if (!deepEqual(old?.resourceClaimStatuses ?? [], now?.resourceClaimStatuses ?? [])) {
    throw refused(request, `node ${quoted(own)} cannot update resource claim statues`);
  }
  if (!deepEqual(old?.extendedResourceClaimStatus ?? null, now?.extendedResourceClaimStatus ?? null)) {
    throw refused(request, `node ${quoted(own)} cannot update extended resource claim status`);
  }
}

/** The owner of a mirror pod is its node, and says so. */
function checkOwner(request: AdmissionRequest, object: KubeObject, own: string, uid: string | undefined): void {
  const who = `node ${quoted(own)}`;
  const owners = object.metadata.ownerReferences ?? [];
  if (owners.length > 1)
    throw refused(request, `${who} can only create pods with a single owner reference set to itself`);
  const [owner] = owners;
  if (owner?.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== own) {
    throw refused(request, `${who} can only create pods with an owner reference set to itself`);
  }
  if (!owner.controller) {
    throw refused(request, `${who} can only create pods with a controller owner reference set to itself`);
  }
  if (owner.blockOwnerDeletion) throw refused(request, `${who} must not set blockOwnerDeletion on an owner reference`);
  if (uid === undefined) throw notFound({ group: '', resource: 'nodes' }, own);
  if (owner.uid !== uid) throw refused(request, `node ${own} UID mismatch: expected ${owner.uid} got ${uid}`);
}

function admitPodCreate(request: AdmissionRequest, own: string, cluster: ClusterState): void {
  const object = request.object as Pod;
  const who = `node ${quoted(own)}`;
  if (!object.metadata.annotations || !(MIRROR_ANNOTATION in object.metadata.annotations)) {
    throw refused(
      request,
      `pod does not have ${quoted(MIRROR_ANNOTATION)} annotation, ${who} can only create mirror pods`,
    );
  }
  if (object.spec.nodeName !== own)
    throw refused(request, `${who} can only create pods with spec.nodeName set to itself`);
  checkOwner(request, object, own, cluster.object(nodeKind, '', own)?.metadata.uid);
  if (object.spec.serviceAccountName)
    throw refused(request, `${who} can not create pods that reference a service account`);
  if (referencesAny(object, 'secret')) throw refused(request, `${who} can not create pods that reference secrets`);
  if (referencesAny(object, 'configMap'))
    throw refused(request, `${who} can not create pods that reference configmaps`);
  if (object.spec.volumes?.some((volume) => volume.persistentVolumeClaim)) {
    throw refused(request, `${who} can not create pods that reference persistentvolumeclaims`);
  }
  if (object.spec.resourceClaims?.length) {
    throw refused(request, `${who} can not create pods that reference resourceclaims`);
  }
}

function admitPod(request: AdmissionRequest, own: string, cluster: ClusterState): void {
  const { operation } = request;
  const { subresource } = request.target;
  const who = `node ${quoted(own)}`;
  if (subresource === 'status') admitPodStatus(request, own);
  else if (subresource !== '') {
    const why = `unexpected pod subresource ${quoted(subresource)}, only 'status' and 'eviction' are allowed`;
    throw refused(request, why);
  } else if (operation === 'create') admitPodCreate(request, own, cluster);
  else if (operation === 'update') {
    throw refused(request, `unexpected operation "UPDATE", ${who} can only create and delete mirror pods`);
  } else if ((request.old as DeepReadonly<Pod>).spec.nodeName !== own) {
    throw refused(request, `${who} can only delete pods with spec.nodeName set to itself`);
  }
}

interface TokenRequestBody extends KubeObject {
  spec: { audiences?: string[]; boundObjectRef?: { apiVersion?: string; kind?: string; name?: string; uid?: string } };
}

/** A node gets tokens for whom the pod's volumes name, so that it cannot pass for its pods elsewhere. */
function checkAudience(request: AdmissionRequest, { spec }: DeepReadonly<Pod>): void {
  const { audiences = [] } = (request.object as TokenRequestBody).spec;
  if (audiences.length > 1) throw refused(request, 'node may only request 0 or 1 audiences');
  const [audience = ''] = audiences;
  const isNamed = spec.volumes?.some(({ projected }) =>
    projected?.sources?.some(({ serviceAccountToken: token }) => token && (token.audience ?? '') === audience),
  );
  if (!isNamed) throw refused(request, `audience ${quoted(audience)} not found in pod spec volume`);
}

function admitToken(request: AdmissionRequest, own: string, cluster: ClusterState): void {
  if (request.operation !== 'create' || request.target.subresource !== 'token') return;
  const ref = (request.object as TokenRequestBody).spec.boundObjectRef;
  if (ref?.apiVersion !== 'v1' || ref.kind !== 'Pod' || !ref.name) {
    throw refused(request, 'node requested token not bound to a pod');
  }
  if (!ref.uid) throw refused(request, 'node requested token with a pod binding without a uid');
  const bound = cluster.object(pod, request.target.namespace, ref.name);
  if (!bound) throw notFound({ group: '', resource: 'pods' }, ref.name);
  if (ref.uid !== bound.metadata.uid) {
    const why = `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw refused(request, why);
  }
  if (bound.spec.nodeName !== own) {
    throw refused(request, 'node requested token bound to a pod scheduled on a different node');
  }
  checkAudience(request, bound);
}

function admitLease(request: AdmissionRequest, own: string): void {
  if (request.target.namespace !== LEASE_NAMESPACE) {
    throw refused(request, `can only access leases in the ${quoted(LEASE_NAMESPACE)} system namespace`);
  }
  const name = (request.object as Lease | null)?.metadata.name ?? request.name;
  if (name !== own) {
    throw refused(request, 'can only access node lease with the same name as the requesting node');
  }
}

/** Changes of what there is are the Node authorizer's business; only this sees what is made, and each that goes. */
function admitSlice(request: AdmissionRequest, own: string): void {
  const { operation, object, old } = request;
  if (operation === 'update') return;
  const { spec } = (object ?? old) as DeepReadonly<ResourceSlice>;
  if (spec.nodeName === own) return;
  throw refused(request, `can only ${operation} ResourceSlice with the same NodeName as the requesting node`);
}

/**
 * Keeps a node to itself: its own Node, lease and pods. What it may ask for at all is the Node authorizer's business.
 * https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction
 */
export function nodeRestriction(cluster: ClusterState): Admission {
  const restricted = new Map<unknown, (request: AdmissionRequest, own: string) => void>([
    [nodeKind, admitNode],
    [pod, (request, own) => admitPod(request, own, cluster)],
    [serviceAccount, (request, own) => admitToken(request, own, cluster)],
    [lease, admitLease],
    [csiNode, admitCsiNode],
    [persistentVolumeClaim, admitClaim],
    [persistentVolume, admitVolume],
    [resourceSlice, admitSlice],
  ]);
  return {
    name: 'NodeRestriction',
    handles: ({ kind }) => restricted.has(kind),
    admit(request) {
      const own = nodeNameOf(request.context.user);
      if (own !== undefined) restricted.get(request.target.kind)!(request, own);
    },
  };
}
