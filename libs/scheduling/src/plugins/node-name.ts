import type { StaticFilter } from '../plugin.ts';

/** A pod that names its node goes there and nowhere else. */
export const nodeName: StaticFilter = {
  name: 'NodeName',
  wakesOn: ['NodeAdded'],
  filter: ({ nodeName }, node) =>
    !nodeName || nodeName === node.metadata.name ? null : "node(s) didn't match the requested node name",
};
