import {
  type Ingress,
  ingress,
  leavesClassOpen,
  type PersistentVolumeClaim,
  persistentVolumeClaim,
} from '@periplus/api';
import type { ClusterState } from '../cluster-state.ts';
import type { Admission } from './admission.ts';

/** As people said it before there was a field. */
const INGRESS_CLASS_ANNOTATION = 'kubernetes.io/ingress.class';

/** https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#defaultstorageclass */
export const defaultStorageClass = (cluster: ClusterState): Admission => ({
  name: 'DefaultStorageClass',
  handles: ({ kind, subresource }, operation) =>
    kind === (persistentVolumeClaim as unknown) && subresource === '' && operation === 'create',
  admit({ object }) {
    const claim = object as PersistentVolumeClaim;
    if (!leavesClassOpen(claim)) return;
    const byDefault = cluster.defaultStorageClass();
    if (byDefault) claim.spec.storageClassName = byDefault.metadata.name;
  },
});

/** https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#defaultingressclass */
export const defaultIngressClass = (cluster: ClusterState): Admission => ({
  name: 'DefaultIngressClass',
  handles: ({ kind, subresource }, operation) =>
    kind === (ingress as unknown) && subresource === '' && operation === 'create',
  admit({ object }) {
    const { metadata, spec } = object as Ingress;
    if (spec.ingressClassName !== undefined || metadata.annotations?.[INGRESS_CLASS_ANNOTATION] !== undefined) return;
    const byDefault = cluster.defaultIngressClass();
    if (byDefault) spec.ingressClassName = byDefault.metadata.name;
  },
});
