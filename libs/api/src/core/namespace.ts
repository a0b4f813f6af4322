import { type DeepReadonly, dns1123Label, type FieldPath, validateFinalizers } from '@periplus/apimachinery';
import type { INamespace } from 'kubernetes-models/v1/Namespace';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Errors } from '../field-rules.ts';
import type { Stored } from '../stored.ts';

export type Namespace = Stored<INamespace, 'spec'>;

/** Selects a namespace by its name. https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-metadata-name */
const NAME_LABEL = 'kubernetes.io/metadata.name';

function labelWithName({ metadata }: Namespace): void {
  if (!metadata.name) return;
  metadata.labels ??= {};
  metadata.labels[NAME_LABEL] = metadata.name;
}

/** The phase says no more than whether deletion has begun. Kubernetes writes the field with a capital here. */
function checkPhase(errors: Errors, at: FieldPath, { metadata, status }: DeepReadonly<Namespace>): void {
  const [expected, when] = metadata.deletionTimestamp ? ['Terminating', 'is not empty'] : ['Active', 'is empty'];
  if (status?.phase === expected) return;
  const detail = `may only be '${expected}' if \`deletionTimestamp\` ${when}`;
  errors.push(at.child('status', 'Phase').invalid(status?.phase ?? '', detail));
}

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/ */
export const namespace = defineKind<Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  nameRule: dns1123Label,
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  columns: [
    nameColumn,
    { name: 'Status', type: 'string', description: 'The status of the namespace', of: (ns) => ns.status?.phase ?? '' },
    ageColumn,
  ],
  selectableFields: { 'status.phase': (ns) => ns.status?.phase ?? '' },
  setDefaults(ns) {
    ns.spec ??= {};
    ns.status ??= {};
    labelWithName(ns);
  },
  prepareForCreate(ns) {
    // A generated name was not known before.
    labelWithName(ns);
    ns.status = { phase: 'Active' };
    ns.spec.finalizers ??= [];
    if (!ns.spec.finalizers.includes('kubernetes')) ns.spec.finalizers.push('kubernetes');
  },
  /** Only the finalize subresource may change the spec. */
  prepareForUpdate(ns, old) {
    ns.spec.finalizers = old.spec.finalizers?.slice();
  },
  check(errors, at, ns) {
    errors.push(...validateFinalizers(ns.spec.finalizers ?? [], at.child('spec', 'finalizers')));
  },
  checkStatusUpdate: checkPhase,
});
