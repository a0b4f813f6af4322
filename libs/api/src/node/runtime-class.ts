import { type DeepReadonly, dns1123Label, type FieldPath, validateLabels } from '@periplus/apimachinery';
import type { IRuntimeClass } from 'kubernetes-models/node.k8s.io/v1/RuntimeClass';
import type { IScheduling } from 'kubernetes-models/node.k8s.io/v1/Scheduling';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { DEPRECATED_NODE_LABELS } from '../deprecated-node-labels.ts';
import { sameValue } from '../equality.ts';
import { checkImmutable, type Errors, warn } from '../field-rules.ts';
import { checkResources } from '../pod-spec/resources.ts';
import { checkTolerations } from '../pod-spec/tolerations.ts';
import type { Stored } from '../stored.ts';

export type RuntimeClass = Stored<IRuntimeClass>;

function checkScheduling(
  errors: Errors,
  at: FieldPath,
  { nodeSelector, tolerations = [] }: DeepReadonly<IScheduling>,
): void {
  errors.push(...validateLabels(nodeSelector, at.child('nodeSelector')));
  // Kubernetes reports them one level too deep.
  const place = at.child('tolerations');
  checkTolerations(errors, place, tolerations);
  tolerations.forEach((toleration, i) => {
    if (tolerations.slice(0, i).some((other) => sameValue(other, toleration))) {
      errors.push(place.index('tolerations', i).duplicate(toleration));
    }
  });
}

/** https://kubernetes.io/docs/concepts/containers/runtime-class/ */
export const runtimeClass = defineKind<RuntimeClass>({
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  namespaced: false,
  createdByUpdate: true,
  updatedByVersionOnly: true,
  columns: [
    nameColumn,
    {
      name: 'Handler',
      type: 'string',
      description: '',
      of: ({ handler }) => handler,
    },
    ageColumn,
  ],
  check(errors, at, { handler, overhead, scheduling }) {
    for (const problem of dns1123Label(handler)) errors.push(at.child('handler').invalid(handler, problem));
    if (overhead) checkResources(errors, at.child('overhead'), { limits: overhead.podFixed }, []);
    if (scheduling) checkScheduling(errors, at.child('scheduling'), scheduling);
  },
  checkUpdate: (errors, at, now, old) => checkImmutable(errors, at, 'handler', now.handler, old.handler),
  warn(warnings, at, { scheduling }) {
    for (const label in scheduling?.nodeSelector) {
      const why = DEPRECATED_NODE_LABELS.get(label);
      if (why) warn(warnings, at.child('scheduling', 'nodeSelector'), why);
    }
  },
  setDefaults(runtimeClass) {
    runtimeClass.handler ??= '';
  },
});
