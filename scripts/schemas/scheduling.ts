/**
 * The types of scheduling.k8s.io/v1alpha2, which the package does not declare: facts from k8s.io/api, of what is served
 * when no feature gate but GenericWorkload is on.
 */
import type { Declared, Definition } from './declarations.ts';

const GROUP_VERSION = 'scheduling.k8s.io/v1alpha2';

const idOf = (name: string): string => `${GROUP_VERSION}.${name}`;
const ref = (name: string): Declared => ({ is: 'ref', name });
const own = (name: string): Declared => ref(idOf(name));
const text: Declared = { is: 'string' };

interface Member {
  type: Declared;
  description: string;
  required?: true;
}

const object = (name: string, description: string, members: Record<string, Member>): Definition => {
  const entries = Object.entries(members);
  return {
    id: idOf(name),
    description,
    type: {
      is: 'object',
      properties: Object.fromEntries(entries.map(([member, { type }]) => [member, type])),
      required: entries.flatMap(([member, { required }]) => (required ? [member] : [])),
      descriptions: Object.fromEntries(entries.map(([member, { description: about }]) => [member, about])),
    },
  };
};

const typeMeta = (kind: string): Record<string, Member> => ({
  apiVersion: { type: { is: 'string', enum: [GROUP_VERSION] }, description: 'The version of this form of the object.' },
  kind: { type: { is: 'string', enum: [kind] }, description: 'What the object is.' },
});

export const schedulingDefinitions: readonly Definition[] = [
  object('PodGroup', 'PodGroup is a set of pods that are scheduled together.', {
    ...typeMeta('PodGroup'),
    metadata: { type: ref('meta/v1.ObjectMeta'), description: 'Standard object metadata.' },
    spec: { type: own('PodGroupSpec'), description: 'How the pods are to be scheduled.', required: true },
    status: { type: own('PodGroupStatus'), description: 'What became of that so far.' },
  }),
  object('PodGroupList', 'PodGroupList is a list of PodGroups.', {
    ...typeMeta('PodGroupList'),
    metadata: { type: ref('meta/v1.ListMeta'), description: 'Standard list metadata.' },
    items: { type: { is: 'array', items: own('PodGroup') }, description: 'The groups.', required: true },
  }),
  object('PodGroupSpec', 'PodGroupSpec says how the pods of a group are to be scheduled.', {
    podGroupTemplateRef: {
      type: own('PodGroupTemplateReference'),
      description: 'The template that the group was made from. Immutable.',
    },
    schedulingPolicy: {
      type: own('PodGroupSchedulingPolicy'),
      description: 'Whether the pods go together or each for itself. Immutable.',
      required: true,
    },
  }),
  object('PodGroupSchedulingPolicy', 'PodGroupSchedulingPolicy is exactly one of its members.', {
    basic: { type: own('BasicSchedulingPolicy'), description: 'Each pod is scheduled for itself.' },
    gang: { type: own('GangSchedulingPolicy'), description: 'All of the pods are scheduled, or none.' },
  }),
  object('BasicSchedulingPolicy', 'BasicSchedulingPolicy has nothing to set.', {}),
  object('GangSchedulingPolicy', 'GangSchedulingPolicy says what a gang is.', {
    minCount: {
      type: { is: 'integer', format: 'int32' },
      description: 'How many pods must be schedulable or scheduled at the same time. Positive.',
      required: true,
    },
  }),
  object('PodGroupTemplateReference', 'PodGroupTemplateReference is exactly one of its members.', {
    workload: { type: own('WorkloadPodGroupTemplateReference'), description: 'A template of a Workload.' },
  }),
  object('WorkloadPodGroupTemplateReference', 'WorkloadPodGroupTemplateReference names a template of a Workload.', {
    workloadName: { type: text, description: 'The Workload.', required: true },
    podGroupTemplateName: { type: text, description: 'The template in it.', required: true },
  }),
  object('PodGroupStatus', 'PodGroupStatus says what became of a group.', {
    conditions: {
      type: { is: 'array', items: ref('meta/v1.Condition') },
      description: 'PodGroupScheduled: whether as many pods have their nodes as the policy asks for.',
    },
  }),
];
