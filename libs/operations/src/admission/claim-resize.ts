import { type PersistentVolumeClaim, persistentVolumeClaim, storageClass, storageClassOf } from '@periplus/api';
import { type DeepReadonly, parseQuantity, type Quantity } from '@periplus/apimachinery';
import type { ClusterState } from '../cluster-state.ts';
import { type Admission, refused } from './admission.ts';

type Claim = DeepReadonly<PersistentVolumeClaim>;

const sizeOf = ({ spec }: Claim): Quantity => parseQuantity(spec.resources?.requests?.storage ?? 0);

/** https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#persistentvolumeclaimresize */
export const claimResize = (cluster: ClusterState): Admission => ({
  name: 'PersistentVolumeClaimResize',
  handles: ({ kind, subresource }, operation) =>
    kind === (persistentVolumeClaim as unknown) && subresource === '' && operation === 'update',
  review(request) {
    const now = request.object as PersistentVolumeClaim;
    const old = request.old as Claim;
    if (sizeOf(now).compare(sizeOf(old)) <= 0) return;
    if (old.status?.phase !== 'Bound') throw refused(request, 'Only bound persistent volume claims can be expanded');
    const name = storageClassOf(now);
    const found = name !== '' && name === storageClassOf(old) ? cluster.object(storageClass, '', name) : undefined;
    if (found?.allowVolumeExpansion) return;
    const why =
      'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize';
    throw refused(request, why);
  },
});
