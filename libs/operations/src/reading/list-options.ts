import { at, badRequest, type FieldError, invalid, parseVersion, StatusError } from '@periplus/apimachinery';
import type { ListOptions, WatchOptions } from '../types.ts';

const FIELD = 'resourceVersionMatch';
const EXACT = 'Exact';
const NOT_OLDER = 'NotOlderThan';
const WITH_TOKEN = `${FIELD} is forbidden when continue is provided`;

const refuse = (errors: FieldError[]): void => {
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', errors);
};

/** Throws Invalid for options that contradict each other. https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions */
export function checkListOptions(options: ListOptions): void {
  const { resourceVersionMatch: match = '', resourceVersion = '', continue: token = '' } = options;
  if (token && resourceVersion && resourceVersion !== '0') {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
  if (!match) return;
  const errors: FieldError[] = [];
  if (!resourceVersion) errors.push(at(FIELD).forbidden(`${FIELD} is forbidden unless resourceVersion is provided`));
  if (token) errors.push(at(FIELD).forbidden(WITH_TOKEN));
  if (match !== EXACT && match !== NOT_OLDER) errors.push(at(FIELD).notSupported(match, ['', EXACT, NOT_OLDER]));
  if (match === EXACT && resourceVersion === '0') {
    errors.push(at(FIELD).forbidden(`${FIELD} "exact" is forbidden for resourceVersion "0"`));
  }
  refuse(errors);
}

export function checkWatchOptions(options: WatchOptions): void {
  const { resourceVersionMatch: match = '', sendInitialEvents, continue: token = '' } = options;
  const errors: FieldError[] = [];
  if (sendInitialEvents !== undefined) {
    if (match !== NOT_OLDER) {
      errors.push(at(FIELD).forbidden(`sendInitialEvents requires setting ${FIELD} to ${NOT_OLDER}`));
    }
  } else if (match) {
    errors.push(at(FIELD).forbidden(`${FIELD} is forbidden for watch unless sendInitialEvents is provided`));
  }
  if (match && match !== NOT_OLDER) errors.push(at(FIELD).notSupported(match, [NOT_OLDER]));
  if (match && token) errors.push(at(FIELD).forbidden(WITH_TOKEN));
  refuse(errors);
}

/** How fresh an answer must be. */
export type Freshness =
  | { at: 'newest' }
  /** Whatever is at hand. */
  | { at: 'any' }
  | { at: 'least'; revision: number; index: number }
  | { at: 'exactly'; revision: number; index: number };

/** Throws BadRequest for what is no version. */
export function versionOf(resourceVersion: string): { revision: number; index: number } {
  const version = parseVersion(resourceVersion);
  if (version) return version;
  const shown = JSON.stringify(resourceVersion);
  throw badRequest(
    `invalid resource version: resourceVersion: Invalid value: ${shown}: strconv.ParseUint: parsing ${shown}: invalid syntax`,
  );
}

export function freshnessOf(
  options: Pick<ListOptions, 'resourceVersion' | 'resourceVersionMatch' | 'limit'>,
): Freshness {
  const { resourceVersion = '', resourceVersionMatch, limit = 0 } = options;
  if (resourceVersion === '') return { at: 'newest' };
  if (resourceVersion === '0') return { at: 'any' };
  // From before there was a match to ask for: the pieces of a list at a version were meant to fit together.
  const isExact = resourceVersionMatch ? resourceVersionMatch === EXACT : limit > 0;
  return { at: isExact ? 'exactly' : 'least', ...versionOf(resourceVersion) };
}

/** 504 for a version that the cluster has not reached. */
export const tooLargeVersion = (asked: string, current: string): StatusError =>
  new StatusError('Timeout', `Timeout: Too large resource version: ${asked}, current: ${current}`, {
    retryAfterSeconds: 1,
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
  });
