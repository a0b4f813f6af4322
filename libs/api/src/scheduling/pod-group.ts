import {
  type Condition,
  type DeepReadonly,
  dns1123Label,
  type FieldPath,
  type KubeObject,
} from '@periplus/apimachinery';
import { ageColumn, nameColumn, orNone } from '../columns.ts';
import { checkConditions } from '../conditions.ts';
import { defineKind } from '../define.ts';
import { checkImmutable, checkRequiredText, type Errors } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';

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

/** Who disturbs a group is said before whether it has its nodes. */
function statusOf({ status }: DeepReadonly<PodGroup>): string {
  const of = (type: string) => status?.conditions?.find((condition) => condition.type === type);
  const disrupted = of('DisruptionTarget');
  if (disrupted) return disrupted.reason ?? '';
  const scheduled = of(POD_GROUP_SCHEDULED);
  if (!scheduled) return 'Pending';
  return scheduled.status === 'True' ? 'Scheduled' : 'Unschedulable';
}

/** https://kubernetes.io/docs/concepts/workloads/podgroup-api/ */
export const podGroup = defineKind<PodGroup>({
  group: 'scheduling.k8s.io',
  version: 'v1alpha2',
  kind: 'PodGroup',
  plural: 'podgroups',
  namespaced: true,
  columns: [
    nameColumn,
    {
      name: 'Policy',
      type: 'string',
      description: fieldText('scheduling.k8s.io/v1alpha2.PodGroupSpec.schedulingPolicy'),
      of: ({ spec }) => (spec.schedulingPolicy?.gang ? 'Gang' : 'Basic'),
    },
    {
      name: 'Workload',
      type: 'string',
      description: 'Name of the referenced Workload object',
      of: ({ spec }) => orNone(spec.podGroupTemplateRef?.workload?.workloadName),
    },
    { name: 'Status', type: 'string', description: 'Status of the PodGroup', of: statusOf },
    ageColumn,
  ],
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
