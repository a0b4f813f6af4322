import { type DeepReadonly, type FieldPath, validateAnnotations, validateLabels } from '@periplus/apimachinery';
import type { IResourceClaimTemplate } from 'kubernetes-models/resource.k8s.io/v1/ResourceClaimTemplate';
import type { IResourceClaimTemplateSpec } from 'kubernetes-models/resource.k8s.io/v1/ResourceClaimTemplateSpec';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { checkImmutable, type Errors } from '../field-rules.ts';
import type { Stored } from '../stored.ts';
import { type ClaimSpec, checkClaimSpec, setClaimSpecDefaults } from './claim-spec.ts';

export type ResourceClaimTemplate = Stored<Omit<IResourceClaimTemplate, 'spec'>> & {
  spec: Pick<IResourceClaimTemplateSpec, 'metadata'> & { spec: ClaimSpec };
};

/** What claims get of the template's metadata: there is nothing else that they could all have. */
function checkMetadata(
  errors: Errors,
  at: FieldPath,
  metadata: DeepReadonly<IResourceClaimTemplateSpec>['metadata'] = {},
): void {
  const { labels, annotations, ...others } = metadata;
  errors.push(...validateAnnotations(annotations, at.child('annotations')));
  errors.push(...validateLabels(labels, at.child('labels')));
  for (const field in others) errors.push(at.child(field).forbidden('cannot be set'));
}

/** https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#resourceclaims-templates */
export const resourceClaimTemplate = defineKind<ResourceClaimTemplate>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaimTemplate',
  plural: 'resourceclaimtemplates',
  namespaced: true,
  answersRemoved: true,
  columns: [nameColumn, ageColumn],
  setDefaults(template) {
    template.spec ??= {} as ResourceClaimTemplate['spec'];
    template.spec.spec ??= {} as ClaimSpec;
    setClaimSpecDefaults(template.spec.spec);
  },
  checkNew(errors, at, { spec }) {
    checkMetadata(errors, at.child('spec', 'metadata'), spec.metadata);
    checkClaimSpec(errors, at.child('spec', 'spec'), spec.spec);
  },
  checkUpdate(errors, at, { spec }, old) {
    checkImmutable(errors, at, 'spec', spec, old.spec);
  },
});
