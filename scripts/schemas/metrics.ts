/**
 * The types of metrics.k8s.io, which no package declares: facts from k8s.io/metrics, pkg/apis/metrics/v1beta1.
 */
import type { Declared, Definition } from './declarations.ts';

const GROUP_VERSION = 'metrics.k8s.io/v1beta1';
const OBJECT_META: Declared = { is: 'ref', name: 'meta/v1.ObjectMeta' };
const USAGE: Declared = { is: 'map', values: { is: 'quantity' } };

type Member = readonly [type: Declared, description: string];

const idOf = (name: string): string => `${GROUP_VERSION}.${name}`;

const object = (name: string, description: string, members: Record<string, Member>): Definition => ({
  id: idOf(name),
  description,
  type: {
    is: 'object',
    properties: Object.fromEntries(Object.entries(members).map(([member, [type]]) => [member, type])),
    required: Object.keys(members).filter((member) => !['apiVersion', 'kind', 'metadata'].includes(member)),
    descriptions: Object.fromEntries(Object.entries(members).map(([member, [, text]]) => [member, text])),
  },
});

const typeMeta = (kind: string): Record<string, Member> => ({
  apiVersion: [{ is: 'string', enum: [GROUP_VERSION] }, ''],
  kind: [{ is: 'string', enum: [kind] }, ''],
});

const measured: Record<string, Member> = {
  timestamp: [{ is: 'time' }, 'The end of the interval that was measured.'],
  window: [{ is: 'string' }, 'The length of the interval that was measured: it ends at timestamp.'],
};

const list = (kind: string): Definition =>
  object(`${kind}List`, `${kind}List is a list of ${kind}.`, {
    ...typeMeta(`${kind}List`),
    metadata: [{ is: 'ref', name: 'meta/v1.ListMeta' }, 'Standard list metadata.'],
    items: [{ is: 'array', items: { is: 'ref', name: idOf(kind) } }, 'What was measured.'],
  });

export const metricsDefinitions: readonly Definition[] = [
  object('ContainerMetrics', 'ContainerMetrics says how much a container uses.', {
    name: [{ is: 'string' }, 'Name of the container, as in pod.spec.containers.'],
    usage: [USAGE, 'The memory is the working set.'],
  }),
  object('NodeMetrics', 'NodeMetrics says how much a node uses.', {
    ...typeMeta('NodeMetrics'),
    metadata: [OBJECT_META, 'Standard object metadata.'],
    ...measured,
    usage: [USAGE, 'The memory is the working set.'],
  }),
  list('NodeMetrics'),
  object('PodMetrics', 'PodMetrics says how much each container of a pod uses.', {
    ...typeMeta('PodMetrics'),
    metadata: [OBJECT_META, 'Standard object metadata.'],
    ...measured,
    containers: [
      { is: 'array', items: { is: 'ref', name: idOf('ContainerMetrics') } },
      'Of all containers, measured over the same interval.',
    ],
  }),
  list('PodMetrics'),
];
