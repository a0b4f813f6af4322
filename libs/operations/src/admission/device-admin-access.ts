import {
  type Namespace,
  namespace,
  type ResourceClaim,
  type ResourceClaimTemplate,
  resourceClaim,
  resourceClaimTemplate,
} from '@periplus/api';
import { at, type DeepReadonly, type FieldPath, invalid } from '@periplus/apimachinery';
import type { ClusterState } from '../cluster-state.ts';
import type { Admission, AdmissionRequest } from './admission.ts';

const LABEL = 'resource.kubernetes.io/admin-access';
const REFUSAL = `admin access to devices requires the \`${LABEL}: true\` label on the containing namespace`;

type Claim = DeepReadonly<ResourceClaim>;

/** Where a claim or a template asks for it. Kubernetes says so of both as if they were claims. */
function requestPlace(requests: Claim['spec']['devices']['requests']): FieldPath | null {
  const i = requests?.findIndex(({ exactly }) => exactly?.adminAccess) ?? -1;
  return i < 0 ? null : at('spec', 'devices').index('requests', i).child('adminAccess');
}

const resultsOf = ({ status }: Claim) => status?.allocation?.devices?.results ?? [];

/** Where it is granted; once it has been, it stays. */
function resultPlace(now: Claim, old: Claim): FieldPath | null {
  if (resultsOf(old).some(({ adminAccess }) => adminAccess)) return null;
  const i = resultsOf(now).findIndex(({ adminAccess }) => adminAccess);
  return i < 0 ? null : at('status', 'allocation', 'devices').index('results', i).child('adminAccess');
}

function placeOf({ target, object, old }: AdmissionRequest): FieldPath | null {
  if (target.subresource === 'status') return resultPlace(object as Claim, old as Claim);
  const { spec } = object as Claim | DeepReadonly<ResourceClaimTemplate>;
  return requestPlace('spec' in spec ? spec.spec.devices.requests : spec.devices.requests);
}

/** Devices that others use are for namespaces that say so. https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#admin-access */
export const deviceAdminAccess = (cluster: ClusterState): Admission => ({
  name: 'DeviceAdminAccess',
  handles({ kind, subresource }, operation) {
    if (kind === (resourceClaimTemplate as unknown)) return operation === 'create';
    return kind === (resourceClaim as unknown) && operation === (subresource === 'status' ? 'update' : 'create');
  },
  review(request) {
    const place = placeOf(request);
    if (!place) return;
    const home = cluster.object<Namespace>(namespace, '', request.target.namespace);
    if (home?.metadata.labels?.[LABEL] === 'true') return;
    throw invalid(request.target.kind, request.name, [place.forbidden(REFUSAL)]);
  },
});
