/** How objects stand in etcd, and how they get there. `types.ts` is the contract. */
export type {
  Cause,
  Committed,
  Companion,
  Outcomes,
  Provenance,
  Store,
  StoredObject,
  Write,
  WriteConflict,
} from './types.ts';
// openStore(deps: { etcd: EtcdClient; prefix: string; cipher: Cipher | null; outcomes: Outcomes }): Store
// class Keys (prefix): registry(key), parseRegistry(etcdKey), inbox(node, ns, name), tombstone(key), liveness(node), allocation(pool, value), election(component), and their ranges
// decodeRecord(kv: KeyValue, keys: Keys, cipher: Cipher | null): StoredObject; decodeTombstone(value)
// openCipher(keyFile): Cipher   several keys: the first seals, all open
