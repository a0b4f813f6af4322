import type { IServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import { defineKind } from '../define.ts';
import type { Stored } from '../stored.ts';

export type ServiceAccount = Stored<IServiceAccount>;

/** https://kubernetes.io/docs/concepts/security/service-accounts/ */
export const serviceAccount = defineKind<ServiceAccount>({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  namespaced: true,
  answersRemoved: true,
});
