import type { Node } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';

/** The nodes of the cluster, by slot. */
export interface LabelledNodes {
  /** Slots that there are, taken or not. */
  readonly capacity: number;
  /** Those that are taken. */
  readonly slots: readonly number[];
  readonly nodes: readonly (DeepReadonly<Node> | null)[];
  /** Changes whenever a node comes or goes, or has other labels or taints: what domains and tallies follow from. */
  readonly relabelled: number;
}

/** The domains of a topology key, numbered: which of them each node belongs to. */
export class Topology {
  readonly key: string;
  /** By slot; -1 where the node has no such label. */
  domainOf = new Int32Array(0);
  /** How many there are. */
  domains = 0;
  private readonly table: LabelledNodes;
  private relabelled = -1;

  constructor(key: string, table: LabelledNodes) {
    this.key = key;
    this.table = table;
  }

  /** Takes the labels that nodes have now. Numbers of domains change with that. */
  refresh(): void {
    const { key, table } = this;
    if (this.relabelled === table.relabelled) return;
    this.relabelled = table.relabelled;
    this.domainOf = new Int32Array(table.capacity).fill(-1);
    const numbers = new Map<string, number>();
    for (const slot of table.slots) {
      const value = table.nodes[slot]!.metadata.labels?.[key];
      if (typeof value !== 'string') continue;
      let domain = numbers.get(value);
      if (domain === undefined) {
        domain = numbers.size;
        numbers.set(value, domain);
      }
      this.domainOf[slot] = domain;
    }
    this.domains = numbers.size;
  }
}
