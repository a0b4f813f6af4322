import { controllerOf, type DeepReadonly, isJsonObject, parseApiVersion } from '@periplus/apimachinery';
import type { IControllerRevision } from 'kubernetes-models/apps/v1/ControllerRevision';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { checkImmutable, checkNonNegative } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';
import type { Stored } from '../stored.ts';

export type ControllerRevision = Stored<IControllerRevision>;

/** As kubectl names things: `statefulset.apps/web`. */
function controllerText(revision: DeepReadonly<ControllerRevision>): string {
  const controller = controllerOf(revision);
  if (!controller) return '<none>';
  const { group } = parseApiVersion(controller.apiVersion) ?? { group: '' };
  return `${controller.kind.toLowerCase()}${group && `.${group}`}/${controller.name}`;
}

/** A template that a StatefulSet or DaemonSet once had. https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/controller-revision-v1/ */
export const controllerRevision = defineKind<ControllerRevision>({
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  namespaced: true,
  columns: [
    nameColumn,
    { name: 'Controller', type: 'string', description: 'Controller of the object', of: controllerText },
    {
      name: 'Revision',
      type: 'string',
      description: fieldText('apps/v1.ControllerRevision.revision'),
      of: ({ revision }) => revision,
    },
    ageColumn,
  ],
  check(errors, at, { revision }) {
    checkNonNegative(errors, at, 'revision', revision);
  },
  checkNew(errors, at, { data }) {
    if (data === undefined || data === null) errors.push(at.child('data').required('data is mandatory'));
    else if (!isJsonObject(data)) errors.push(at.child('data').required('data must be a valid JSON object'));
  },
  checkUpdate: (errors, at, now, old) => checkImmutable(errors, at, 'data', now.data, old.data),
  setDefaults(revision) {
    revision.revision ??= 0;
  },
});
