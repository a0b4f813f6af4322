import { namespace as namespaceKind } from '@periplus/api';
import type { View } from '@periplus/cache';

/** Whether a namespace is on its way out: creates in it would be refused, and what is in it goes with it. */
export const isNamespaceEnding = (view: View, name: string): boolean =>
  view.get(namespaceKind, '', name)?.metadata.deletionTimestamp !== undefined;
