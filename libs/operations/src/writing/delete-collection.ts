import { isNotFound } from '@periplus/apimachinery';
import { listObjects } from '../reading/read.ts';
import type { Selection } from '../reading/selection.ts';
import type { DeleteOptions, Item, ListOptions, ListResult, RequestContext, Target } from '../types.ts';
import type { WriteDeps } from './create.ts';
import { deleteAuthorized, warnOfOrphans } from './delete.ts';
import { checkDeleteOptions } from './deletion.ts';

/** Deletions under way at a time: enough to fill transactions, few enough to leave room for others. */
const DELETIONS_MAX = 64;

/**
 * Deletes all that a selection chooses, as it is at the beginning. What is gone already is no error; the first other
 * error ends it.
 */
export async function deleteCollection(
  deps: WriteDeps,
  context: RequestContext,
  target: Target,
  selection: Selection,
  options: { list: ListOptions; delete: DeleteOptions },
): Promise<ListResult> {
  checkDeleteOptions(options.delete);
  warnOfOrphans(context, target, options.delete);
  const list = await listObjects(deps.cluster, target, selection, options.list);
  const remaining = list.items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = remaining.next(); !next.done; next = remaining.next()) {
      await deleteItem(deps, context, target, next.value, options.delete);
    }
  };
  await Promise.all(Array.from({ length: Math.min(DELETIONS_MAX, list.items.length) }, worker));
  return list;
}

async function deleteItem(
  deps: WriteDeps,
  context: RequestContext,
  target: Target,
  { object: { metadata } }: Item,
  options: DeleteOptions,
): Promise<void> {
  const one: Target = { ...target, namespace: metadata.namespace ?? '', name: metadata.name! };
  try {
    await deleteAuthorized(deps, context, one, options);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
