import { NODE_LOCAL_FINALIZER, type PersistentVolumeClaim, sameValue } from '@periplus/api';
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

/** A node says of a volume that it keeps only that its directory is gone. */
export function admitVolume(request: AdmissionRequest, own: string): void {
  const { object, old, operation } = request;
  if (operation === 'update' && object?.metadata.deletionTimestamp && old) {
    const rest = ({ metadata, ...more }: DeepReadonly<KubeObject>): unknown => {
      const { resourceVersion: _, managedFields: __, finalizers = [], ...kept } = metadata;
      return { ...more, metadata: { ...kept, finalizers: finalizers.filter((one) => one !== NODE_LOCAL_FINALIZER) } };
    };
    if (sameValue(rest(object), rest(old))) return;
  }
  throw refused(request, `node ${JSON.stringify(own)} is only allowed to remove its own finalizer from volumes`);
}
