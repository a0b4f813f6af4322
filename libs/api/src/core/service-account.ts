import type { IServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import { ageColumn, nameColumn } from '../columns.ts';
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
  columns: [
    nameColumn,
    {
      name: 'Secrets',
      type: 'string',
      description: 'Number of secrets that pods of this account may mount',
      of: ({ secrets = [] }) => secrets.length,
    },
    ageColumn,
  ],
});
