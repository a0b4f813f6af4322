import type { ListResult, ObjectResult, Target } from '../types.ts';
import type { Selection } from './selection.ts';

/** Objects of a kind that is not stored: they are found out when somebody asks. Lists come in one piece. */
export interface Observed {
  /** Rejects with NotFound. */
  get(target: Target): Promise<ObjectResult>;
  list(target: Target, selection: Selection): Promise<ListResult>;
}

export const wholeList = (items: readonly ObjectResult[]): ListResult => ({
  items,
  bytes: undefined,
  resourceVersion: '',
  continue: '',
  remainingItemCount: undefined,
});
