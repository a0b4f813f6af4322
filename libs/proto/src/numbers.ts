import protobuf from 'protobufjs/minimal.js';

/**
 * 64-bit fields are plain numbers, exact below 2^53, as the generated declarations say: revisions, milliseconds
 * and the lease ids of this project's etcd client fit. Unknown fields are dropped, not carried along. Imported
 * before any generated module, whose defaults depend on it.
 */
protobuf.util.Long = null as never;
protobuf.configure();
protobuf.Reader.discardUnknown = true;
