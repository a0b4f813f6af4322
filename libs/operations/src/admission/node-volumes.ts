import { type PersistentVolumeClaim, sameValue } from '@periplus/api';
import type { DeepReadonly, KubeObject } from '@periplus/apimachinery';
import { type AdmissionRequest, refused } from './admission.ts';

export function admitCsiNode(request: AdmissionRequest, own: string): void {
  if ((request.object?.metadata.name ?? request.name) === own) return;
  throw refused(request, 'can only access CSINode with the same name as the requesting node');
}

/** What a node reports of a volume that it has made larger. */
const CLAIM_STATUS = ['capacity', 'conditions', 'allocatedResources', 'allocatedResourceStatuses'];

export function admitClaim(request: AdmissionRequest, own: string): void {
  if (request.target.subresource !== 'status' || request.operation !== 'update') {
    throw refused(request, `unexpected operation ${JSON.stringify(request.operation.toUpperCase())}`);
  }
  const rest = (object: DeepReadonly<KubeObject> | null): unknown => {
    const { metadata, status = {}, ...more } = object as DeepReadonly<PersistentVolumeClaim>;
    const { resourceVersion: _, managedFields: __, ...kept } = metadata;
    const others = Object.entries(status).filter(([name]) => !CLAIM_STATUS.includes(name));
    return { ...more, metadata: kept, status: Object.fromEntries(others) };
  };
  if (sameValue(rest(request.object), rest(request.old))) return;
  const why = `node ${JSON.stringify(own)} is not allowed to update fields other than status.quantity and status.conditions`;
  throw refused(request, why);
}
