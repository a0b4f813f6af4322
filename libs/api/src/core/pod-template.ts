import type { IPodTemplate } from 'kubernetes-models/v1/PodTemplate';
import { formatLabels, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { setPodTemplateDefaults } from '../pod-spec/defaults.ts';
import { containerColumns } from '../pod-spec/template-columns.ts';
import { checkPodTemplate } from '../pod-spec/validation.ts';
import { warnOfPod } from '../pod-spec/warnings.ts';
import type { Stored } from '../stored.ts';

export type PodTemplate = Stored<IPodTemplate, 'template'>;

/** https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-template-v1/ */
export const podTemplate = defineKind<PodTemplate>({
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  plural: 'podtemplates',
  namespaced: true,
  answersRemoved: true,
  generation: true,
  columns: [
    nameColumn,
    ...containerColumns<PodTemplate>(({ template }) => template).map((column) => ({ ...column, priority: 0 as const })),
    {
      name: 'Pod Labels',
      type: 'string',
      description: 'The labels for the pod template.',
      of: ({ template }) => formatLabels(template.metadata?.labels),
    },
  ],
  check: (errors, at, { template }) => checkPodTemplate(errors, at.child('template'), template),
  warn: (warnings, at, { template }) => warnOfPod(warnings, at.child('template'), template, true),
  setDefaults(podTemplate) {
    podTemplate.template ??= {};
    setPodTemplateDefaults(podTemplate.template);
  },
});
