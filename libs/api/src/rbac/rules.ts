/** What Role and ClusterRole share. */
import type { KubeObject } from '@periplus/apimachinery';
import { nameColumn } from '../columns.ts';
import type { Column } from '../kind.ts';

export const roleColumns: readonly Column<KubeObject>[] = [
  nameColumn,
  {
    name: 'Created At',
    type: 'date',
    description: 'Time of creation',
    of: ({ metadata }) => metadata.creationTimestamp ?? '<unknown>',
  },
];
