import type { Kind } from '@periplus/api';
import { StatusError } from '@periplus/apimachinery';
import type { ListResult } from '@periplus/operations';

/** What a list says of itself, in every form; one of what is only observed has no version. */
export const listMetadata = (list: ListResult) => ({
  ...(list.resourceVersion && { resourceVersion: list.resourceVersion }),
  ...(list.continue && { continue: list.continue }),
  ...(list.remainingItemCount !== undefined && { remainingItemCount: list.remainingItemCount }),
});

export function notOneObject(kind: Kind): StatusError {
  const why = `the requested object is a list (*${kind.version}.${kind.kind}List)`;
  return new StatusError('NotAcceptable', `you requested PartialObjectMetadata, but ${why}`);
}
