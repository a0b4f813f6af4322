import type { Column } from '@periplus/api';
import { badRequest, type DeepReadonly, type KubeObject } from '@periplus/apimachinery';

/** What stands beside the cells of a row. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** An object to show, with its JSON where that exists already. */
export interface Shown {
  readonly object: DeepReadonly<KubeObject>;
  readonly bytes: Buffer;
}

const META = 'meta.k8s.io';

export function includeObject(value: string | null): IncludeObject {
  if (value === null || value === '') return 'Metadata';
  if (value === 'None' || value === 'Metadata' || value === 'Object') return value;
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: "${value}": must be 'Metadata', 'Object', 'None', or empty`,
  );
}

/**
 * Makes the pieces of a Table: a head up to the opening bracket of the rows, and the rows.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
 */
export class TableWriter {
  private readonly columns: readonly Column<KubeObject>[];
  private readonly apiVersion: string;
  private readonly include: IncludeObject;
  private readonly nowMs: number;

  constructor(columns: readonly Column<KubeObject>[], version: string, include: IncludeObject, nowMs: number) {
    this.columns = columns;
    this.apiVersion = `${META}/${version}`;
    this.include = include;
    this.nowMs = nowMs;
  }

  /** `metadata` is the list's or, for a single object, its version. Columns are left out of all but a watch's first event. */
  head(metadata: object, withColumns = true): string {
    const columns = withColumns ? this.columns.map(definition) : null;
    return `{"kind":"Table","apiVersion":"${this.apiVersion}","metadata":${JSON.stringify(metadata)},"columnDefinitions":${JSON.stringify(columns)},"rows":[`;
  }

  row({ object, bytes }: Shown): string {
    const cells = JSON.stringify(this.columns.map((column) => column.of(object, this.nowMs)));
    return `{"cells":${cells},"object":${this.beside(object, bytes)}}`;
  }

  /** A row that shows nothing of the object but what stands beside the cells. */
  emptyRow({ object, bytes }: Shown): string {
    const cells = JSON.stringify(this.columns.map(() => ''));
    return `{"cells":${cells},"object":${this.beside(object, bytes)}}`;
  }

  private beside(object: DeepReadonly<KubeObject>, bytes: Buffer): string {
    if (this.include === 'None') return 'null';
    if (this.include === 'Object') return bytes.toString('utf8');
    return metadataOnly(object, this.apiVersion);
  }
}

/** An object's metadata alone. */
export interface PartialObjectMetadata {
  readonly kind: 'PartialObjectMetadata';
  readonly apiVersion: string;
  readonly metadata: DeepReadonly<KubeObject>['metadata'];
}

export const partialMetadata = ({ metadata }: DeepReadonly<KubeObject>, apiVersion: string): PartialObjectMetadata => ({
  kind: 'PartialObjectMetadata',
  apiVersion,
  metadata,
});

/** The same as JSON. */
export const metadataOnly = (object: DeepReadonly<KubeObject>, apiVersion: string): string =>
  JSON.stringify(partialMetadata(object, apiVersion));

const definition = ({ name, type, format, description, priority }: Column<KubeObject>) => ({
  name,
  type,
  format: format ?? '',
  description,
  priority: priority ?? 0,
});
