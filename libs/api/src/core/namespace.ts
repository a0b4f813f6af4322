import type { INamespace } from 'kubernetes-models/v1/Namespace';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Stored } from '../stored.ts';

export type Namespace = Stored<INamespace, 'spec'>;

/** Selects a namespace by its name. https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-metadata-name */
const NAME_LABEL = 'kubernetes.io/metadata.name';

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/ */
export const namespace = defineKind<Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  columns: [
    nameColumn,
    { name: 'Status', type: 'string', description: 'Phase of the namespace', of: (ns) => ns.status?.phase ?? '' },
    ageColumn,
  ],
  selectableFields: { 'status.phase': (ns) => ns.status?.phase ?? '' },
  setDefaults(ns) {
    ns.spec ??= {};
    ns.status ??= {};
    if (ns.metadata.name) {
      ns.metadata.labels ??= {};
      ns.metadata.labels[NAME_LABEL] = ns.metadata.name;
    }
  },
  prepareForCreate(ns) {
    ns.status = { phase: 'Active' };
    ns.spec.finalizers ??= [];
    if (!ns.spec.finalizers.includes('kubernetes')) ns.spec.finalizers.push('kubernetes');
  },
  /** Only the finalize subresource may change the spec. */
  prepareForUpdate(ns, old) {
    ns.spec.finalizers = old.spec.finalizers?.slice();
  },
});
