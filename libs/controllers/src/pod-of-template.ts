import type { Kind, Pod } from '@periplus/api';
import { type DeepReadonly, type KubeObject, ownerReferenceTo } from '@periplus/apimachinery';

type Template = DeepReadonly<{
  metadata?: Pick<KubeObject['metadata'], 'labels' | 'annotations' | 'finalizers'>;
  spec?: Pod['spec'];
}>;

/** A pod of the template, controlled by `owner`, which is of `kind`. */
export const podOfTemplate = (
  owner: DeepReadonly<KubeObject>,
  kind: Kind,
  name: string,
  template: Template | undefined,
): DeepReadonly<Pod> => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    generateName: `${owner.metadata.name}-`,
    namespace: owner.metadata.namespace,
    labels: template?.metadata?.labels,
    annotations: template?.metadata?.annotations,
    finalizers: template?.metadata?.finalizers,
    ownerReferences: [ownerReferenceTo(owner, kind)],
  },
  spec: template?.spec ?? { containers: [] },
});
