/** Messages generated from `proto/` by `npm run generate`, and how a gRPC service is made of them. */
export { periplus as apiProto } from '../generated/api.js';
export { periplus as storeProto } from '../generated/store.js';
export { resourcesService, STATUS_METADATA } from './resources.ts';
export { type MessageType, method } from './service.ts';
