import type { ISecret } from 'kubernetes-models/v1/Secret';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Stored } from '../stored.ts';

export type Secret = Stored<ISecret>;

/** https://kubernetes.io/docs/concepts/configuration/secret/ */
export const secret = defineKind<Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  namespaced: true,
  confidential: ['data'],
  columns: [
    nameColumn,
    { name: 'Type', type: 'string', description: 'What the entries mean', of: ({ type }) => type ?? '' },
    {
      name: 'Data',
      type: 'string',
      description: 'Number of entries',
      of: ({ data = {} }) => Object.keys(data).length,
    },
    ageColumn,
  ],
  selectableFields: { type: ({ type }) => type ?? '' },
  setDefaults(secret) {
    secret.type ||= 'Opaque';
    if (!secret.stringData) return;
    secret.data ??= {};
    for (const [name, text] of Object.entries(secret.stringData)) {
      secret.data[name] = Buffer.from(text, 'utf8').toString('base64');
    }
    delete secret.stringData;
  },
});
