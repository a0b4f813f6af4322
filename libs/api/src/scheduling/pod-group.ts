import {
  type Condition,
  type DeepReadonly,
  dns1123Label,
  type FieldPath,
  type KubeObject,
} from '@periplus/apimachinery';
import { defaultColumns } from '../columns.ts';
import { checkConditions } from '../conditions.ts';
import { defineKind } from '../define.ts';
import { checkImmutable, checkRequiredText, type Errors } from '../field-rules.ts';

export interface PodGroup extends KubeObject {
  spec: {
    podGroupTemplateRef?: { workload?: { workloadName: string; podGroupTemplateName: string } };
    schedulingPolicy: { basic?: object; gang?: { minCount: number } };
  };
  status?: { conditions?: (Condition & { observedGeneration?: number })[] };
}

/** Whether as many of its pods have nodes as its policy asks for. */
export const POD_GROUP_SCHEDULED = 'PodGroupScheduled';

type Spec = DeepReadonly<PodGroup>['spec'];

function checkPolicy(errors: Errors, at: FieldPath, { basic, gang }: Partial<Spec['schedulingPolicy']> = {}): void {
  if (!basic && !gang) errors.push(at.invalid('', 'must specify one of: `basic`, `gang`'));
  if (basic && gang) errors.push(at.invalid('{basic, gang}', 'must specify exactly one of: `basic`, `gang`'));
  if (gang && gang.minCount < 1) {
    errors.push(at.child('gang', 'minCount').invalid(gang.minCount, 'must be greater than or equal to 1'));
  }
}

function checkTemplate(errors: Errors, at: FieldPath, ref: Spec['podGroupTemplateRef']): void {
  if (!ref) return;
  if (!ref.workload) errors.push(at.invalid('', 'must specify one of: `workload`'));
  for (const field of ['workloadName', 'podGroupTemplateName'] as const) {
    if (ref.workload) checkRequiredText(errors, at.child('workload'), field, ref.workload[field], dns1123Label);
  }
}

/** https://kubernetes.io/docs/concepts/workloads/podgroup-api/ */
export const podGroup = defineKind<PodGroup>({
  group: 'scheduling.k8s.io',
  version: 'v1alpha2',
  kind: 'PodGroup',
  plural: 'podgroups',
  namespaced: true,
  columns: defaultColumns,
  setDefaults(group) {
    group.spec ??= {} as PodGroup['spec'];
  },
  check(errors, at, { spec }) {
    checkPolicy(errors, at.child('spec', 'schedulingPolicy'), spec.schedulingPolicy);
    checkTemplate(errors, at.child('spec', 'podGroupTemplateRef'), spec.podGroupTemplateRef);
  },
  checkUpdate(errors, at, { spec }, old) {
    for (const field of ['schedulingPolicy', 'podGroupTemplateRef'] as const) {
      checkImmutable(errors, at.child('spec'), field, spec[field], old.spec[field]);
    }
  },
  checkStatusUpdate(errors, at, { status }) {
    checkConditions(errors, at.child('status', 'conditions'), status?.conditions);
  },
});
