import type { Node } from '@periplus/api';
import type { Logger } from '@periplus/component';
import type { EtcdClient } from '@periplus/etcd';
import { decodeRecord, type Keys } from '@periplus/store';
import { RangeFollower } from './range-follower.ts';

const NODES = { group: '', resource: 'nodes' } as const;

/** Follows Node objects: one by name, or all. What others write to a node has to be seen by who plays it. */
export function watchNodes(deps: {
  etcd: EtcdClient;
  keys: Keys;
  node?: string;
  onNode(node: Node): void;
  log: Logger;
}): RangeFollower {
  const { etcd, keys, node, log } = deps;
  const only = node === undefined ? undefined : keys.registry({ ...NODES, namespace: '', name: node });
  return new RangeFollower({
    ...{ etcd, log, what: 'the nodes' },
    range: only === undefined ? keys.registryRange(NODES) : { key: only, rangeEnd: `${only}\0` },
    onPut: (kv) => {
      try {
        deps.onNode(JSON.parse(decodeRecord(kv, keys, null).bytes.toString()) as Node);
      } catch (error) {
        log.error({ etcdKey: kv.key, error: (error as Error).message }, 'the record of a node can not be read');
      }
    },
    onDelete: () => undefined,
  });
}
