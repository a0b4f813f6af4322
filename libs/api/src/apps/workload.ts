/** Columns that workloads with a pod template share. */

import type { ILabelSelector } from '@kubernetes-models/apimachinery/apis/meta/v1/LabelSelector';
import type { DeepReadonly } from '@periplus/apimachinery';
import type { IPodTemplateSpec } from 'kubernetes-models/v1/PodTemplateSpec';
import type { Column } from '../kind.ts';
import { formatLabelSelector } from '../label-selector.ts';

export interface Workload {
  spec: { template?: IPodTemplateSpec; selector?: ILabelSelector };
}

const containersOf = ({ spec }: DeepReadonly<Workload>) => spec.template?.spec?.containers ?? [];

export const workloadColumns: readonly Column<Workload>[] = [
  {
    name: 'Containers',
    type: 'string',
    priority: 1,
    description: 'Names of the containers of its pods',
    of: (workload) =>
      containersOf(workload)
        .map(({ name }) => name)
        .join(','),
  },
  {
    name: 'Images',
    type: 'string',
    priority: 1,
    description: 'Images of the containers of its pods',
    of: (workload) =>
      containersOf(workload)
        .map(({ image }) => image ?? '')
        .join(','),
  },
  {
    name: 'Selector',
    type: 'string',
    priority: 1,
    description: 'Labels of its pods',
    of: ({ spec }) => formatLabelSelector(spec.selector),
  },
];
