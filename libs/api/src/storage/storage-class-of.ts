import type { DeepReadonly, FieldPath, KubeObject } from '@periplus/apimachinery';
import { type Warnings, warn } from '../field-rules.ts';

/** Where claims and volumes named their class before there was a field. */
export const STORAGE_CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class';

type Classed = Pick<DeepReadonly<KubeObject>, 'metadata'> & { readonly spec: { readonly storageClassName?: string } };

/** The class of a claim or volume; '' is none. */
export const storageClassOf = ({ metadata, spec }: Classed): string =>
  metadata.annotations?.[STORAGE_CLASS_ANNOTATION] ?? spec.storageClassName ?? '';

/** Whether a claim leaves its class open, so that it gets the default one. '' is not open: it is to have none. */
export const leavesClassOpen = ({ metadata, spec }: Classed): boolean =>
  spec.storageClassName === undefined && metadata.annotations?.[STORAGE_CLASS_ANNOTATION] === undefined;

/** Of the annotation, which the field has replaced. */
export function warnOfClassAnnotation(warnings: Warnings, at: FieldPath, { metadata }: Classed): void {
  if (metadata.annotations?.[STORAGE_CLASS_ANNOTATION] === undefined) return;
  const why = 'deprecated since v1.8; use "storageClassName" attribute instead';
  warn(warnings, at.child('metadata').key('annotations', STORAGE_CLASS_ANNOTATION), why);
}
