import type { FieldSet, ManagedFieldsEntry } from '../object.ts';
import { type StatusCause, StatusError } from '../status-error.ts';
import { difference, isEmpty, pathsOf } from './field-set.ts';
import { describePath } from './path-element.ts';

/** Fields of somebody else that an applier wants to change. */
export interface FieldConflict {
  readonly entry: ManagedFieldsEntry;
  readonly fields: FieldSet;
}

/** Those that are about other fields than `allowed`. */
export const conflictsBeyond = (conflicts: readonly FieldConflict[], allowed: FieldSet): FieldConflict[] =>
  conflicts
    .map(({ entry, fields }) => ({ entry, fields: difference(fields, allowed) }))
    .filter(({ fields }) => !isEmpty(fields));

function describe({ manager, operation, apiVersion, subresource }: ManagedFieldsEntry): string {
  const name = JSON.stringify(manager) + (subresource ? ` with subresource ${JSON.stringify(subresource)}` : '');
  return operation === 'Update' ? `${name} using ${apiVersion}` : name;
}

/** The refusal of an apply, which lists every field and its manager. https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts */
export function applyConflict(conflicts: readonly FieldConflict[]): StatusError {
  const found = conflicts
    .map(({ entry, fields }) => ({ manager: describe(entry), paths: [...pathsOf(fields)].map(describePath).sort() }))
    .sort((a, b) => (a.manager < b.manager ? -1 : 1));
  const causes: StatusCause[] = found.flatMap(({ manager, paths }) =>
    paths.map((field) => ({ reason: 'FieldManagerConflict', message: `conflict with ${manager}`, field })),
  );
  const [only] = causes;
  const message =
    causes.length === 1
      ? `Apply failed with 1 conflict: ${only!.message}: ${only!.field}`
      : `Apply failed with ${causes.length} conflicts: ${found
          .map(({ manager, paths }) => [`conflicts with ${manager}:`, ...paths.map((path) => `- ${path}`)].join('\n'))
          .join('\n')}`;
  return new StatusError('Conflict', message, { causes });
}
