/** Messages generated from `proto/` by `npm run generate`, and how a gRPC service is made of them. */
import './numbers.ts';

export { periplus as apiProto } from '../generated/api.js';
export { containerd as containerdProto } from '../generated/containerd.js';
export { runtime as criProto } from '../generated/cri.js';
export { descriptors } from '../generated/descriptors.js';
export { authpb, etcdserverpb, mvccpb } from '../generated/etcd.js';
export { grpc as grpcProto } from '../generated/grpc.js';
export { periplus as storeProto } from '../generated/store.js';
export type { FileDescription } from './descriptors.ts';
export { authMethods, kvMethods, leaseMethods, watchMethods } from './etcd.ts';
export { healthService, reflectionService } from './grpc.ts';
export { resourcesService } from './resources.ts';
export { type MessageType, method } from './service.ts';
export {
  decodeStatusDetails,
  encodeStatusDetails,
  STATUS_DETAILS_METADATA,
  type StatusMessage,
} from './status-details.ts';
