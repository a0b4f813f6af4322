import type { DeepReadonly, FieldPath } from '@periplus/apimachinery';
import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import type { IPodTemplateSpec } from 'kubernetes-models/v1/PodTemplateSpec';
import { checkImmutable, type Errors } from '../field-rules.ts';
import type { JobSpec } from './job-spec.ts';

interface Job {
  spec: JobSpec;
  status?: { readonly active?: number };
}
type Template = DeepReadonly<IPodTemplateSpec>;
type Containers = readonly DeepReadonly<IContainer>[] | undefined;

/** Whether no pod of it runs, nor will without another update. */
const isAtRest = ({ spec, status }: Job): boolean => spec.suspend === true && !status?.active;

/** The containers of `old` with the resources of those that stand in their places in `now`. */
const withResourcesOf = (now: Containers, old: Containers): Containers =>
  old?.map((container, i) => (now?.[i] ? { ...container, resources: now[i].resources } : container));

/** `old` with what the template of a Job at rest may change, taken from `now`. */
function withDirectivesOf(now: Template, old: Template): Template {
  const { affinity, nodeSelector, tolerations, schedulingGates, ...spec }: DeepReadonly<Partial<IPodSpec>> =
    now.spec ?? {};
  const { labels, annotations } = now.metadata ?? {};
  return {
    metadata: { ...old.metadata, labels, annotations },
    spec: {
      ...old.spec!,
      affinity: { ...old.spec?.affinity, nodeAffinity: affinity?.nodeAffinity },
      nodeSelector,
      tolerations,
      schedulingGates,
      containers: withResourcesOf(spec.containers, old.spec?.containers) ?? [],
      initContainers: withResourcesOf(spec.initContainers, old.spec?.initContainers),
    },
  };
}

/**
 * The template of a Job stays as it is, but that where its pods go and what they need may change while none is there,
 * for the sake of queues. https://kubernetes.io/docs/concepts/workloads/controllers/job/#mutable-scheduling-directives
 */
export function checkTemplateKept(errors: Errors, at: FieldPath, now: Job, old: Job): void {
  const before = isAtRest(old) ? withDirectivesOf(now.spec.template, old.spec.template) : old.spec.template;
  checkImmutable(errors, at, 'template', now.spec.template, before);
}
