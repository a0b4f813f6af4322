import type { DeepReadonly, KubeObject } from '@periplus/apimachinery';

/** Where claims and volumes named their class before there was a field. */
export const STORAGE_CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class';

type Classed = Pick<DeepReadonly<KubeObject>, 'metadata'> & { readonly spec: { readonly storageClassName?: string } };

/** The class of a claim or volume; '' is none. */
export const storageClassOf = ({ metadata, spec }: Classed): string =>
  metadata.annotations?.[STORAGE_CLASS_ANNOTATION] ?? spec.storageClassName ?? '';

/** Whether a claim leaves its class open, so that it gets the default one. '' is not open: it is to have none. */
export const leavesClassOpen = ({ metadata, spec }: Classed): boolean =>
  spec.storageClassName === undefined && metadata.annotations?.[STORAGE_CLASS_ANNOTATION] === undefined;
