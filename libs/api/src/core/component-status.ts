import type { IComponentStatus } from 'kubernetes-models/v1/ComponentStatus';
import { nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Column } from '../kind.ts';
import type { Stored } from '../stored.ts';

export type ComponentStatus = Stored<IComponentStatus>;

const STATUS_WORDS: Readonly<Record<string, string>> = { True: 'Healthy', False: 'Unhealthy' };

const text = (name: string, description: string, of: Column<ComponentStatus>['of']): Column<ComponentStatus> => ({
  ...{ name, type: 'string', description, of },
});

const healthy = ({ conditions = [] }: Parameters<Column<ComponentStatus>['of']>[0]) =>
  conditions.find(({ type }) => type === 'Healthy');

/**
 * How the parts of the control plane are. Looked at when somebody asks, and never stored.
 * https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/component-status-v1/
 */
export const componentStatus = defineKind<ComponentStatus>({
  group: '',
  version: 'v1',
  kind: 'ComponentStatus',
  plural: 'componentstatuses',
  shortNames: ['cs'],
  namespaced: false,
  isStored: false,
  verbs: ['get', 'list'],
  deprecation: 'v1 ComponentStatus is deprecated in v1.19+',
  columns: [
    nameColumn,
    text('Status', 'Whether it is healthy', (of) => STATUS_WORDS[healthy(of)?.status ?? ''] ?? 'Unknown'),
    text('Message', 'What it says of itself', (of) => healthy(of)?.message ?? ''),
    text('Error', 'Why it cannot be asked', (of) => healthy(of)?.error ?? ''),
  ],
});
