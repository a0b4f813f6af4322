/**
 * How objects stand in etcd, and how they get there. `types.ts` is the contract, `keys.ts` says where everything
 * lies, `record.ts` what is in a value; `group-commit.ts` writes.
 */
export { Cipher, type CipherKey, newKeyFile, openCipher, type Sealed } from './cipher.ts';
export { GroupCommit, openStore, type StoreDeps, type StoreStats } from './group-commit.ts';
export { allocationPath, inboxPath, type KeyRange, Keys, parseResourcePath, resourcePath } from './keys.ts';
export {
  decodeInboxRecord,
  decodeProvenance,
  decodeRecord,
  decodeTombstone,
  type RecordParts,
  recordParts,
  StoredRecord,
  type Tombstone,
} from './record.ts';
export type { Cause, Committed, Companion, Provenance, Store, StoredObject, Transaction, Write } from './types.ts';
export { WriteConflict } from './write-conflict.ts';
