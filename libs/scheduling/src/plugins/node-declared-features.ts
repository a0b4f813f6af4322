import type { StaticFilter } from '../plugin.ts';

/** A node gets pods that need what not every node can do only when it says that it can. */
export const nodeDeclaredFeatures: StaticFilter = {
  name: 'NodeDeclaredFeatures',
  wakesOn: ['NodeAdded', 'NodeFeatures'],
  filter({ features }, { status }) {
    const lacks = (feature: string): boolean => status?.declaredFeatures?.includes(feature) !== true;
    return features?.some(lacks) ? "node(s) didn't match Pod's required features" : null;
  },
};
