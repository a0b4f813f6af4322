import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority, issueCertificate, type KeyPair } from '@periplus/pki';

/** What a client of a TLS etcd logs in with. */
export interface EtcdClientCertificate {
  ca: Buffer;
  cert: Buffer;
  key: Buffer;
}

/** The certificates of a test etcd. */
export interface EtcdTls {
  authority: KeyPair;
  /** A client certificate whose common name is the etcd user. */
  client(user: string): Promise<EtcdClientCertificate>;
}

export async function createEtcdTls(authority?: KeyPair): Promise<EtcdTls> {
  const signer = authority ?? (await createAuthority('etcd-ca'));
  return {
    authority: signer,
    async client(user) {
      const { cert, key } = await issueCertificate(signer, { commonName: user, usages: ['client'] });
      return { ca: Buffer.from(signer.cert), cert: Buffer.from(cert), key: Buffer.from(key) };
    },
  };
}

/** Puts the files a member needs into `folder`/tls and says with which arguments it finds them below `seenAs`. */
export async function writeServerTls(tls: EtcdTls, folder: string): Promise<(seenAs: string) => string[]> {
  const pair = await issueCertificate(tls.authority, {
    commonName: 'etcd-server',
    usages: ['server', 'client'],
    hosts: ['localhost', '127.0.0.1', '::1'],
  });
  mkdirSync(join(folder, 'tls'), { recursive: true });
  writeFileSync(join(folder, 'tls/ca.crt'), tls.authority.cert);
  writeFileSync(join(folder, 'tls/server.crt'), pair.cert);
  writeFileSync(join(folder, 'tls/server.key'), pair.key, { mode: 0o600 });
  return (seenAs) => [
    '--client-cert-auth',
    ...['--trusted-ca-file', `${seenAs}/tls/ca.crt`],
    ...['--cert-file', `${seenAs}/tls/server.crt`],
    ...['--key-file', `${seenAs}/tls/server.key`],
  ];
}
