import { Server, ServerCredentials } from '@grpc/grpc-js';
import { type EtcdClient, type EtcdOptions, openEtcd } from '@periplus/etcd';
import { type EtcdGate, etcdGateServices, identityOfCertificate } from '@periplus/etcd-gate';
import { createAuthority, issueCertificate, type KeyPair } from '@periplus/pki';

export interface TestGate {
  url: string;
  authority: KeyPair;
  refusals: string[];
  /** A client with a certificate of this subject. */
  as(commonName: string, ...organizations: string[]): Promise<EtcdClient>;
  options(commonName: string, ...organizations: string[]): Promise<EtcdOptions>;
  node(name: string): Promise<EtcdClient>;
  /** Clients stay, and find the gate that takes its place. */
  stopServer(): void;
  stop(): Promise<void>;
}

/** A gate in front of `etcd` on a gRPC server of its own. Given an old one, a new one takes its place. */
export async function startGate(etcd: EtcdClient, old?: TestGate): Promise<TestGate> {
  const authority = old?.authority ?? (await createAuthority('kubernetes'));
  const refusals: string[] = [];
  const gate: EtcdGate = etcdGateServices({
    etcd,
    prefix: '/periplus',
    authenticate: ({ certificate }) => identityOfCertificate(certificate),
    log: { warn: (fields) => void refusals.push(`${fields.caller}: ${fields.what}`) },
  });
  const server = new Server();
  for (const { definition, implementation } of gate.services) server.addService(definition, implementation);
  const pair = await issueCertificate(authority, { commonName: 'api', usages: ['server'], hosts: ['127.0.0.1'] });
  const keys = [{ cert_chain: Buffer.from(pair.cert), private_key: Buffer.from(pair.key) }];
  const credentials = ServerCredentials.createSsl(Buffer.from(authority.cert), keys, true);
  const port = await new Promise<number>((resolve, reject) => {
    const address = `127.0.0.1:${old === undefined ? 0 : new URL(old.url).port}`;
    server.bindAsync(address, credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  const url = `https://127.0.0.1:${port}`;
  const clients: EtcdClient[] = [];
  const test: TestGate = {
    url,
    authority,
    refusals,
    async options(commonName, ...organizations) {
      const { cert, key } = await issueCertificate(authority, { commonName, organizations, usages: ['client'] });
      const tls = { ca: Buffer.from(authority.cert), cert: Buffer.from(cert), key: Buffer.from(key) };
      return { endpoints: [url], tls };
    },
    async as(commonName, ...organizations) {
      const client = openEtcd(await test.options(commonName, ...organizations));
      clients.push(client);
      return client;
    },
    node: (name) => test.as(`system:node:${name}`, 'system:nodes'),
    stopServer() {
      gate.close();
      server.forceShutdown();
    },
    async stop() {
      test.stopServer();
      for (const client of clients) await client.close();
    },
  };
  return test;
}
