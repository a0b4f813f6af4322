/** What tests stand on: whole clusters (`cluster.ts`), etcd, containerd, and the real command-line tools (`kubectl.ts`). */

export { requestCertificate } from './certificate-request.ts';
export { HELLO_ARCHIVE, PERIPLUS, startCluster, type TestCluster } from './cluster.ts';
export { startContainerd, type TestContainerd, whyNoTestContainers } from './containerd.ts';
export { type StartEtcdOptions, startEtcd, type TestEtcd } from './etcd.ts';
export type { EtcdMember } from './etcd-member.ts';
export type { EtcdClientCertificate, EtcdTls } from './etcd-tls.ts';
export { eventually } from './eventually.ts';
export { freePorts } from './free-ports.ts';
export {
  type CommandOptions,
  type CommandOutput,
  helm,
  helmPath,
  type KubectlRelease,
  kubectl,
  kubectlPath,
} from './kubectl.ts';
export { type ProxyFaults, startProxy, type TestProxy } from './proxy.ts';
