import { type DeepReadonly, dns1123Subdomain, type FieldPath } from '@periplus/apimachinery';
import type { IFlowSchema } from 'kubernetes-models/flowcontrol.apiserver.k8s.io/v1/FlowSchema';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { sameValue } from '../equality.ts';
import { checkRequiredText, type Errors } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';
import type { Stored } from '../stored.ts';
import { checkConditions } from './conditions.ts';
import { MANDATORY_FLOW_SCHEMAS } from './mandatory.ts';
import { checkPolicyRules } from './policy-rules.ts';

export type FlowSchema = Stored<IFlowSchema, 'spec'>;

const PRECEDENCE_DEFAULT = 1000;
const PRECEDENCE_MAX = 10_000;
const DISTINGUISHERS = ['ByNamespace', 'ByUser'];

function checkSpec(errors: Errors, at: FieldPath, name: string, spec: DeepReadonly<FlowSchema['spec']>): void {
  const { matchingPrecedence: precedence = 0, distinguisherMethod, priorityLevelConfiguration, rules } = spec;
  const place = at.child('matchingPrecedence');
  if (precedence <= 0) errors.push(place.invalid(precedence, 'must be a positive value'));
  if (precedence > PRECEDENCE_MAX) errors.push(place.invalid(precedence, `must not be greater than ${PRECEDENCE_MAX}`));
  if (precedence === 1 && name !== 'exempt') {
    errors.push(place.invalid(precedence, "only the schema named 'exempt' may have matchingPrecedence 1"));
  }
  if (distinguisherMethod && !DISTINGUISHERS.includes(distinguisherMethod.type)) {
    errors.push(at.child('distinguisherMethod', 'type').notSupported(distinguisherMethod, DISTINGUISHERS));
  }
  const level = priorityLevelConfiguration?.name;
  const levelPath = at.child('priorityLevelConfiguration');
  if (!level) errors.push(levelPath.child('name').required('must reference a priority level'));
  else checkRequiredText(errors, levelPath, 'name', level, dns1123Subdomain);
  rules?.forEach((rule, i) => {
    checkPolicyRules(errors, at.index('rules', i), rule);
  });
}

/** https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#flowschema */
export const flowSchema = defineKind<FlowSchema>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'FlowSchema',
  plural: 'flowschemas',
  namespaced: false,
  generation: true,
  columns: [
    nameColumn,
    {
      name: 'PriorityLevel',
      type: 'string',
      description: fieldText('flowcontrol.apiserver.k8s.io/v1.PriorityLevelConfigurationReference.name'),
      of: ({ spec }) => spec.priorityLevelConfiguration?.name ?? '',
    },
    {
      name: 'MatchingPrecedence',
      type: 'string',
      description: fieldText('flowcontrol.apiserver.k8s.io/v1.FlowSchemaSpec.matchingPrecedence'),
      of: ({ spec }) => spec.matchingPrecedence ?? 0,
    },
    {
      name: 'DistinguisherMethod',
      type: 'string',
      description: fieldText('flowcontrol.apiserver.k8s.io/v1.FlowSchemaSpec.distinguisherMethod'),
      of: ({ spec }) => spec.distinguisherMethod?.type ?? '<none>',
    },
    ageColumn,
    {
      name: 'MissingPL',
      type: 'string',
      description: 'references a broken or non-existent PriorityLevelConfiguration',
      of: ({ status }) => status?.conditions?.find(({ type }) => type === 'Dangling')?.status ?? '?',
    },
  ],
  check(errors, root, object) {
    const at = root.child('spec');
    const name = object.metadata.name ?? '';
    checkSpec(errors, at, name, object.spec);
    const mandatory = Object.hasOwn(MANDATORY_FLOW_SCHEMAS, name) ? MANDATORY_FLOW_SCHEMAS[name] : undefined;
    if (mandatory && !sameValue(object.spec, mandatory)) {
      errors.push(at.invalid(object.spec, `spec of '${name}' must equal the fixed value`));
    }
    checkConditions(errors, root, object);
  },
  checkStatusUpdate: checkConditions,
  setDefaults(schema) {
    schema.spec ??= {} as FlowSchema['spec'];
    schema.spec.matchingPrecedence ||= PRECEDENCE_DEFAULT;
    schema.status ??= {};
  },
});
