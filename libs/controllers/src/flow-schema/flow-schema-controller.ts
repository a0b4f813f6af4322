import { type FlowSchema, flowSchema, priorityLevelConfiguration } from '@periplus/api';
import { type DeepReadonly, formatTime } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import { defineController, idle, type ObjectRef, watchRule } from '@periplus/reconcile';
import { setStatus } from '../status-change.ts';

const DANGLING = 'Dangling';

/** There are few schemas, and a level is made or removed once in a while. */
const everySchema = (now: unknown, old: unknown, view: View): ObjectRef[] =>
  now !== null && old !== null
    ? []
    : view.list(flowSchema).map(({ metadata }) => ({ namespace: '', name: metadata.name! }));

/** The schema's conditions with what is to be said of its level; the time stays until the answer changes. */
function conditionsOf({ spec, status }: DeepReadonly<FlowSchema>, isFound: boolean, nowMs: number) {
  const all = status?.conditions ?? [];
  const asked = `This FlowSchema references the PriorityLevelConfiguration object named "${spec.priorityLevelConfiguration.name}"`;
  const said = isFound
    ? { status: 'False', reason: 'Found', message: `${asked} and it exists` }
    : { status: 'True', reason: 'NotFound', message: `${asked} but there is no such object` };
  const before = all.find(({ type }) => type === DANGLING);
  const isSame = before?.status === said.status;
  const lastTransitionTime = isSame ? before.lastTransitionTime : formatTime(nowMs);
  return [...all.filter(({ type }) => type !== DANGLING), { type: DANGLING, lastTransitionTime, ...said }];
}

/**
 * Tells of each FlowSchema whether the priority level that it names is there; requests of a schema whose level is not
 * go where those go that no schema matches.
 * https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#flowschema
 */
export const flowSchemaController = defineController<FlowSchema>({
  name: 'flow-schema',
  for: flowSchema,
  watches: [watchRule(priorityLevelConfiguration, everySchema)],
  reconcile({ name }, view) {
    const schema = view.get(flowSchema, '', name);
    if (!schema || schema.metadata.deletionTimestamp) return idle;
    const isFound = view.get(priorityLevelConfiguration, '', schema.spec.priorityLevelConfiguration.name) !== undefined;
    const conditions = conditionsOf(schema, isFound, view.nowMs);
    return { steps: [setStatus(flowSchema, schema, { ...schema.status, conditions })] };
  },
});
