/** The gRPC API over the operations core: `resources.ts` is the service, `command-stream.ts` its busiest call. */
export { type GrpcDeps, type GrpcServer, type GrpcService, startGrpcServer } from './grpc-server.ts';
