/** What tests stand on. `kubectl.ts` runs the real command-line tools. */

export { startContainerd, type TestContainerd, whyNoTestContainers } from './containerd.ts';
export { type StartEtcdOptions, startEtcd, type TestEtcd } from './etcd.ts';
export type { EtcdMember } from './etcd-member.ts';
export type { EtcdClientCertificate, EtcdTls } from './etcd-tls.ts';
export { freePorts } from './free-ports.ts';
export { type CommandOutput, helmPath, kubectl, kubectlPath } from './kubectl.ts';
export { type ProxyFaults, startProxy, type TestProxy } from './proxy.ts';
