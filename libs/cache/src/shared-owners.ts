import type { DeepReadonly, OwnerReference } from '@periplus/apimachinery';

type Owners = readonly DeepReadonly<OwnerReference>[];

/** Lists of owners that are remembered; many objects have the same. */
const REMEMBERED_MAX = 4_096;
const NONE: Owners = [];
const remembered = new Map<string, Owners>();

/** The owners that `json` lists. The same text gives the same list, as long as that is remembered. */
export function sharedOwners(json: string): Owners {
  if (json === '') return NONE;
  let owners = remembered.get(json);
  if (owners === undefined) {
    owners = JSON.parse(json) as Owners;
    if (remembered.size === REMEMBERED_MAX) remembered.clear();
    remembered.set(json, owners);
  }
  return owners;
}
