import { type DeepReadonly, type KubeObject, parseQuantity, Quantity } from '@periplus/apimachinery';
import { nameColumn } from '../columns.ts';
import type { Column } from '../kind.ts';

/** What something uses: quantities by the name of the resource, `cpu` and `memory` (the working set). */
export type ResourceUsage = Record<string, string>;

/** Members that both kinds of metrics have. */
export interface Measured {
  /** The end of the interval that was measured. */
  timestamp: string;
  /** Its length, as Go prints durations: "10.02s". */
  window: string;
}

type Metrics = KubeObject & Measured;

type Usages = readonly (DeepReadonly<ResourceUsage> | undefined)[];

const total = (usages: Usages, resource: string): string =>
  usages.reduce((sum, usage) => sum.add(parseQuantity(usage?.[resource] ?? '0')), Quantity.zero).toString();

/** The columns of metrics-server. */
export function usageColumns<T extends Metrics>(usagesOf: (object: DeepReadonly<T>) => Usages): readonly Column<T>[] {
  const usage = (resource: string): Column<T> => ({
    name: resource,
    type: 'string',
    format: 'quantity',
    description: '',
    of: (object) => total(usagesOf(object), resource),
  });
  return [
    { ...nameColumn, description: 'Name of the resource' },
    usage('cpu'),
    usage('memory'),
    { name: 'Window', type: 'string', format: 'duration', description: '', of: ({ window = '' }) => window },
  ];
}
