import { portsCollide } from '../host-ports.ts';
import type { DynamicFilter } from '../plugin.ts';

const REFUSED = ["node(s) didn't have free ports for the requested pod ports"];

/** Two pods can't have the same port of a node. */
export const nodePorts: DynamicFilter = {
  name: 'NodePorts',
  isLocal: true,
  wakesOn: ['NodeAdded', 'PodGone'],
  prepare({ demand: { hostPorts } }, { hostPorts: takenOn }) {
    if (hostPorts.length === 0) return null;
    return (slot) => {
      const taken = takenOn[slot];
      return taken && portsCollide(hostPorts, taken) ? REFUSED : null;
    };
  },
};
