import type { IBinding } from 'kubernetes-models/v1/Binding';
import { defineKind } from '../define.ts';
import type { Stored } from '../stored.ts';

export type Binding = Stored<IBinding>;

/**
 * What gives a pod to a node, at the address that it had before pods got their own, `pods/binding`.
 * https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/binding-v1/
 */
export const binding = defineKind<Binding>({
  group: '',
  version: 'v1',
  kind: 'Binding',
  plural: 'bindings',
  namespaced: true,
  isStored: false,
});
