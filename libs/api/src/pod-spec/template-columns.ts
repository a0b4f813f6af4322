import type { DeepReadonly } from '@periplus/apimachinery';
import type { IPodTemplateSpec } from 'kubernetes-models/v1/PodTemplateSpec';
import type { Column } from '../kind.ts';

/** The columns about the containers of a pod template, wherever a kind has it. Shown with `-o wide`. */
export function containerColumns<T>(
  templateOf: (object: DeepReadonly<T>) => DeepReadonly<IPodTemplateSpec> | undefined,
): readonly Column<T>[] {
  const containersOf = (object: DeepReadonly<T>) => templateOf(object)?.spec?.containers ?? [];
  return [
    {
      name: 'Containers',
      type: 'string',
      priority: 1,
      description: 'Names of each container in the template.',
      of: (object) =>
        containersOf(object)
          .map(({ name }) => name)
          .join(','),
    },
    {
      name: 'Images',
      type: 'string',
      priority: 1,
      description: 'Images referenced by each container in the template.',
      of: (object) =>
        containersOf(object)
          .map(({ image }) => image ?? '')
          .join(','),
    },
  ];
}
