import {
  at,
  badRequest,
  conform,
  escapeFieldValue,
  type FieldError,
  invalid,
  type JsonObject,
  type JsonValue,
  parseFieldSelector,
} from '@periplus/apimachinery';
import { type DeleteOptions, deleteOptionsSchema, type ListOptions, type WatchOptions } from '@periplus/operations';

/** What create, update and patch take in their query. */
export interface WriteOptions {
  dryRun: boolean;
  fieldManager: string;
  fieldValidation: 'Ignore' | 'Warn' | 'Strict';
  /** Of a patch; undefined when the query does not say. */
  force?: boolean;
}

const NO_WRITE_OPTIONS: WriteOptions = { dryRun: false, fieldManager: '', fieldValidation: 'Warn' };
const FIELD_MANAGER_BYTES_MAX = 128;
/** As Go's unicode.IsPrint tells them. */
const UNPRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;
const FIELD_VALIDATION = ['', 'Ignore', 'Strict', 'Warn'];
/** Clients send few different queries with their writes; what they say is remembered for this many. */
const REMEMBERED_MAX = 512;

const remembered = new Map<string, WriteOptions>();

/**
 * Options of a write. `kind` names them in errors: "CreateOptions".
 * https://kubernetes.io/docs/reference/kubernetes-api/common-parameters/common-parameters/
 */
export function writeOptions(kind: string, query: string): WriteOptions {
  if (query === '') return NO_WRITE_OPTIONS;
  const known = remembered.get(query);
  if (known) return known;
  const parameters = new URLSearchParams(query);
  const errors = [...dryRunErrors(parameters.getAll('dryRun')), ...fieldErrors(parameters)];
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', errors);
  const options: WriteOptions = {
    dryRun: parameters.getAll('dryRun').includes('All'),
    fieldManager: parameters.get('fieldManager') ?? '',
    fieldValidation: (parameters.get('fieldValidation') || 'Warn') as WriteOptions['fieldValidation'],
    ...(parameters.get('force') && { force: boolean(parameters.get('force')) }),
  };
  if (remembered.size >= REMEMBERED_MAX) remembered.clear();
  remembered.set(query, options);
  return options;
}

/** Throws BadRequest or Invalid; what options mean together is the core's business. */
export function listOptions(query: URLSearchParams): ListOptions {
  if (query.has('sendInitialEvents')) {
    const error = at('sendInitialEvents').forbidden('sendInitialEvents is forbidden for list');
    throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', [error]);
  }
  // A list does not take that long, but Go reads all that it is told.
  integer(query.get('timeoutSeconds'));
  return {
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
    limit: integer(query.get('limit')),
    continue: query.get('continue') ?? '',
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
  };
}

/** `name` is the one object that the path or the selector names; '' for all. Throws BadRequest. */
export const watchOptions = (query: URLSearchParams, name: string): WatchOptions => ({
  labelSelector: query.get('labelSelector') ?? '',
  fieldSelector: selectorOfName(query.get('fieldSelector') ?? '', name),
  resourceVersion: query.get('resourceVersion') ?? '',
  resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
  continue: query.get('continue') ?? '',
  allowWatchBookmarks: boolean(query.get('allowWatchBookmarks')),
  ...(query.has('sendInitialEvents') && { sendInitialEvents: boolean(query.get('sendInitialEvents')) }),
  timeoutSeconds: integer(query.get('timeoutSeconds')),
});

function selectorOfName(selector: string, name: string): string {
  if (name === '') return selector;
  if (selector === '') return `metadata.name=${escapeFieldValue(name)}`;
  if (parseFieldSelector(selector).exactValueOf('metadata.name') === name) return selector;
  throw badRequest("fieldSelector metadata.name doesn't match requested name");
}

export const deleteOptionsOfQuery = (query: URLSearchParams): DeleteOptions => ({
  gracePeriodSeconds: integer(query.get('gracePeriodSeconds')),
  propagationPolicy: query.get('propagationPolicy') ?? undefined,
  ...(query.has('orphanDependents') && { orphanDependents: boolean(query.get('orphanDependents')) }),
  dryRun: query.getAll('dryRun'),
});

/** A DeleteOptions object from a request's body. Throws BadRequest when a field is of the wrong type. */
export function deleteOptionsOfBody(value: JsonValue): DeleteOptions {
  const { problem } = conform(value as JsonObject, deleteOptionsSchema);
  if (problem !== undefined) throw badRequest(problem);
  const { kind, apiVersion: _, ...options } = value as JsonObject;
  if (kind && kind !== 'DeleteOptions') throw badRequest('decoded object cannot be converted to DeleteOptions');
  return options as DeleteOptions;
}

/** Throws Invalid for what a decoded DeleteOptions may not say. */
export function checkDryRun(options: DeleteOptions): boolean {
  const errors = dryRunErrors(options.dryRun ?? []);
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors);
  return (options.dryRun ?? []).length > 0;
}

/** As Go's conversion of query parameters reads a bool: everything but "false" and "0" is true, even nothing. */
export const boolean = (text: string | null): boolean =>
  text !== null && text !== '0' && text.toLowerCase() !== 'false';

function integer(text: string | null): number | undefined {
  if (text === null || text === '') return undefined;
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  const value = Number(text);
  if (!Number.isSafeInteger(value)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range`);
  }
  return value;
}

const dryRunErrors = (values: readonly string[]): FieldError[] =>
  values.some((value) => value !== 'All') ? [at('dryRun').notSupported(values, ['All'])] : [];

function fieldErrors(parameters: URLSearchParams): FieldError[] {
  const errors: FieldError[] = [];
  const manager = parameters.get('fieldManager') ?? '';
  const place = at('fieldManager');
  if (Buffer.byteLength(manager) > FIELD_MANAGER_BYTES_MAX) errors.push(place.tooLong(FIELD_MANAGER_BYTES_MAX));
  for (const { 0: character, index } of manager.matchAll(UNPRINTABLE)) {
    const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
    const position = Buffer.byteLength(manager.slice(0, index));
    errors.push(place.invalid(manager, `invalid character U+${code} (at position ${position})`));
  }
  const validation = parameters.get('fieldValidation') ?? '';
  if (!FIELD_VALIDATION.includes(validation)) {
    errors.push(at('fieldValidation').notSupported(validation, FIELD_VALIDATION));
  }
  return errors;
}
