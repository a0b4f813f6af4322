/**
 * etcd for nodes, who hold no credentials of it: etcd's own gRPC services with the policy of `access.ts` in front. `gate.ts` puts
 * it together; `range-feed.ts` lets many watchers share an upstream watch.
 */

export type { GateLog } from './callers.ts';
export { type EtcdGate, etcdGateServices, type GateDeps, type GateService } from './gate.ts';
export { type GateIdentity, type GatePeer, identityOfCertificate } from './identity.ts';
