import type { IResourceClaimTemplate } from 'kubernetes-models/resource.k8s.io/v1/ResourceClaimTemplate';
import type { IResourceClaimTemplateSpec } from 'kubernetes-models/resource.k8s.io/v1/ResourceClaimTemplateSpec';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Stored } from '../stored.ts';
import { type ClaimSpec, setClaimSpecDefaults } from './claim-spec.ts';

export type ResourceClaimTemplate = Stored<Omit<IResourceClaimTemplate, 'spec'>> & {
  spec: Pick<IResourceClaimTemplateSpec, 'metadata'> & { spec: ClaimSpec };
};

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
});
